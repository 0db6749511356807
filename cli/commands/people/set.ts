// SPDX-License-Identifier: Apache-2.0
// A set as who approves it sees it: every object, image and deletion, what is new, and what the rules say.
import { verifyRecord } from '../../../attest/index.ts';
import { objectId } from '../../../engine/index.ts';
import { isApprovalRule } from '../../../engine/people/index.ts';
import { refuseDuplicates } from '../../../engine/record/set.ts';
import { DECISION_PREDICATE_TYPE } from '../../../engine/record/statement.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import { UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import { findInstallation } from '../../installation.ts';
import { oneLine } from '../../report/text.ts';
import type { Desk } from './signing.ts';
import { trustOf } from './standing.ts';

/** What is shown of a set; digests are lower-case hex SHA-256. */
export interface ShownSet {
  readonly digest: string;
  readonly verdict: string;
  /** By id; without a digest it is to go. */
  readonly objects: readonly { readonly id: string; readonly digest?: string }[];
  readonly images: readonly string[];
  /** `result: rule: object`, with the waiver where there is one. */
  readonly findings: readonly string[];
}

/** Evaluates manifests as `check` does. @throws what `check` throws */
export async function setOfManifests({ found, environment, args, io }: Desk): Promise<ShownSet> {
  // Only where there is a set to evaluate.
  const { judgeFor } = await import('../check.ts');
  const installation = findInstallation();
  const reader = openYamlReader(installation.toolchain);
  const setting = {
    args,
    failOn: 'fail',
    isRecorded: false,
    installation,
    reader,
    found,
    tokens: {},
  } as const;
  const { judgement } = await judgeFor(environment, setting, io);
  const { decision, set } = judgement;
  // No record is made of one, so nobody approves it.
  refuseDuplicates(set);
  // Not yet approved is what everything is that is to be approved.
  const findings = decision.findings.filter(({ rule }) => !isApprovalRule(rule));
  return {
    digest: set.digest,
    verdict: decision.verdict,
    objects: set.entries,
    images: judgement.images().map(({ ref }) => ref),
    findings: findings.map(
      ({ result, rule, object, message, waiver }) =>
        `${result}: ${rule}: ${objectId(object)}: ${message}${waiver === undefined ? '' : ` (waived by sha256:${waiver})`}`,
    ),
  };
}

/** What a record that holds says, or why it does not hold. */
export function setOfRecord(path: string, { found, environment, io }: Desk): ShownSet | string {
  const verdict = verifyRecord(readSource(path).bytes, trustOf(found.project), {
    use: 'record',
    predicateType: DECISION_PREDICATE_TYPE,
    environment: environment.name,
    at: io.now(),
  });
  if (!verdict.ok)
    return `${oneLine(JSON.stringify(path))} does not hold: ${verdict.reason} [${verdict.code}]`;
  const statement: unknown = JSON.parse(Buffer.from(verdict.value.statement).toString('utf8'));
  const predicate = field(statement, 'predicate');
  const own = field(field(predicate, 'scope'), 'environment');
  if (own !== environment.name)
    return `${oneLine(JSON.stringify(path))} is for another environment, ${oneLine(JSON.stringify(own ?? 'none'))}`;
  const set = field(predicate, 'set');
  return {
    digest: verdict.value.subjects[0]?.digest['sha256'] ?? '',
    verdict: String(field(predicate, 'verdict')),
    objects: [
      ...listOf(field(set, 'objects')).map((one) => ({
        id: String(field(one, 'id')),
        digest: String(field(field(one, 'digest'), 'sha256')),
      })),
      ...listOf(field(set, 'deletes')).map((id) => ({ id: String(id) })),
    ],
    images: listOf(field(predicate, 'images')).map((image) => String(field(image, 'ref'))),
    findings: listOf(field(predicate, 'findings'))
      .filter((one) => !isApprovalRule(String(field(one, 'rule'))))
      .map((one) => ['result', 'rule', 'object'].map((key) => String(field(one, key))).join(': ')),
  };
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;

/** The set in words; with the listing of another one, what differs from that. */
export function textOfSet(set: ShownSet, previous: string | undefined): string {
  const before = previous === undefined ? undefined : readListing(previous);
  const now = new Map(set.objects.map(({ id, digest }) => [id, digest ?? '-']));
  const markOf = (id: string, digest: string): string => {
    if (digest === '-') return 'delete';
    const was = before?.get(id);
    if (before === undefined) return 'object';
    return was === undefined ? 'new' : was === digest ? 'same' : 'changed';
  };
  const gone = [...(before?.keys() ?? [])].filter((id) => !now.has(id));
  return `${[
    `set sha256:${set.digest}: ${set.verdict}`,
    ...[...now].map(([id, digest]) => `${markOf(id, digest)} ${oneLine(id)}`),
    ...gone.map((id) => `gone ${oneLine(id)}`),
    ...set.images.map((ref) => `image ${oneLine(ref)}`),
    ...set.findings.map(oneLine),
  ].join('\n')}\n`;
}

/** A listing as `check --record` writes it. @throws {UsageError} */
function readListing(file: string): ReadonlyMap<string, string> {
  const lines = Buffer.from(readSource(file).bytes).toString('utf8').split('\n').filter(Boolean);
  return new Map(
    lines.map((line) => {
      const match = /^([0-9a-f]{64}|-) {2}(.+)$/.exec(line);
      if (match === null)
        throw new UsageError(
          `--previous ${JSON.stringify(file)} is no listing of a set`,
          'give the FILE.set.txt beside a record',
        );
      return [match[2] ?? '', match[1] ?? ''] as const;
    }),
  );
}
