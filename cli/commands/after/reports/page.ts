// SPDX-License-Identifier: Apache-2.0
// One change as an auditor reads it: from its record alone, with how each fact is known.
import type { DecisionPredicate } from '../../../../engine/record/predicate.ts';
import { visible } from '../../../report/text.ts';
import type { Check } from '../../decided.ts';
import type { Recorded } from '../recorded.ts';
import { indexOf } from './population.ts';

/** Foreign text in Markdown: it must not become markup. */
export const code = (text: string): string =>
  `\`${visible(text).replaceAll('`', "'").replaceAll('|', '\\|')}\``;

/** When something that a record lists was first let in by the webhook. */
export interface Admitted {
  readonly time: string;
  readonly id: string;
}

/** The first admission of each object after the decision, in its environment. */
export function admittedAfter(
  { decision }: Recorded,
  all: readonly Recorded[],
): ReadonlyMap<string, Admitted> {
  const ids = new Set(decision.set.objects.map(({ id }) => id));
  const found = new Map<string, Admitted>();
  for (const { decision: other } of all) {
    const isLater = other.time >= decision.time && other.scope.environment === decision.scope.environment;
    if (other.phase !== 'admission' || other.verdict !== 'allow' || !isLater) continue;
    for (const { id } of other.set.objects)
      if (ids.has(id) && !found.has(id)) found.set(id, { time: other.time, id: other.id });
  }
  return found;
}

/** What a page says besides its record. */
export interface Verifying {
  readonly admitted: ReadonlyMap<string, Admitted>;
  /** The file of the key that signed it. */
  readonly key: string;
  /** The flag that names the time at which it is verified, with a space before it; empty where that is now. */
  readonly time: string;
}

/** The page of one change. */
export function pageOf(
  record: Recorded,
  checks: readonly Check[],
  { admitted, key, time }: Verifying,
): string {
  const { decision } = record;
  const { environment = '' } = decision.scope;
  return `${[
    `# Change ${decision.id}`,
    '',
    `- environment: ${code(environment)}`,
    `- decided: ${decision.time}, ${decision.verdict} by ${decision.basis}, entry ${indexOf(record)} of the ledger`,
    `- asked for by: ${requesterOf(decision)}`,
    ...approvalLines(decision),
    ...(decision.change === undefined
      ? []
      : [
          `- ticket: ${code(decision.change.id)} of ${code(decision.change.system)} (${decision.change.trust})`,
        ]),
    '',
    '## Rules',
    '',
    ...ruleLines(decision),
    '',
    '## Objects',
    '',
    '| object | SHA-256 | first admitted |',
    '| --- | --- | --- |',
    ...decision.set.objects.map(({ id, digest }) => {
      const one = admitted.get(id);
      const when = one === undefined ? 'no record of it' : `${one.time}, record ${one.id}`;
      return `| ${code(id)} | ${digest.sha256} | ${when} |`;
    }),
    '',
    '## Proof',
    '',
    ...checks.map(({ name, holds, detail }) => `- ${holds ? 'ok' : '**no**'} ${name}: ${code(detail)}`),
    '',
    '```sh',
    `countersign verify record record.json --trust ../../trust.json --env ${shell(environment)}${time}`,
    `cosign verify-blob-attestation --key ../../${key} --bundle record.json --trusted-root ../../trusted_root.json \\`,
    '  --type https://countersign.dev/attestation/deployment-decision/v1 set.txt',
    '```',
  ].join('\n')}\n`;
}

const shell = (text: string): string => `'${visible(text).replaceAll("'", "'\\''")}'`;

const requesterOf = ({ requester }: DecisionPredicate): string =>
  requester === undefined
    ? 'the record does not say'
    : `${code(requester.id)} (${requester.how}, ${requester.trust})`;

function approvalLines({ approvalRule }: DecisionPredicate): readonly string[] {
  if (approvalRule === undefined) return ['- approvals: the record names no rule that asked for any'];
  const { required, got, excluded } = approvalRule;
  return [
    `- approvals required: ${required.map(({ role, count }) => `${count} of ${code(role)}`).join(', ') || 'none'}`,
    ...got.map(({ person, role }) => `- approved by: ${code(person)} as ${code(role)}`),
    ...excluded.map(({ person, why }) => `- not counted: ${code(person)}, ${code(why)}`),
  ];
}

function ruleLines({ passed, findings, policies }: DecisionPredicate): readonly string[] {
  // Of rules about approvals and locks nothing is counted as passed, and yet they may have found something.
  const found = findings.map(({ rule }) => [rule, 0] as const);
  const rules = Object.entries({ ...Object.fromEntries(found), ...passed }).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  return [
    ...policies.map(({ name, digest }) => `- policy ${code(name)} sha256:${digest.sha256}`),
    '',
    '| rule | held for | findings |',
    '| --- | ---: | --- |',
    ...rules.map(([rule, count]) => {
      const own = findings.filter((finding) => finding.rule === rule);
      const said = own.map(({ result, waiver }) =>
        waiver === undefined ? result : `${result}, waiver ${waiver}`,
      );
      return `| ${code(rule)} | ${count} | ${said.length === 0 ? 'none' : code(said.join('; '))} |`;
    }),
  ];
}
