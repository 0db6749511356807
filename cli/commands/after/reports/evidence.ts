// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { writeArchive } from '../../../../engine/archive/index.ts';
import { EngineError } from '../../../../engine/index.ts';
import { openYamlReader } from '../../../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../../../args.ts';
import { type ExitCode, UsageError } from '../../../exit.ts';
import { writeWhole } from '../../../files.ts';
import { findInstallation } from '../../../installation.ts';
import type { Io } from '../../../io.ts';
import { ledgerPlace } from '../../../ledger/place.ts';
import { findProject } from '../../../loading/project.ts';
import { visible } from '../../../report/text.ts';
import { LEDGER_FLAGS } from '../../records/place.ts';
import { type Given, givenBy } from '../given.ts';
import { checksOf, timeFlagOf } from '../held.ts';
import { type Recorded, recordedBetween, type Span, spanOf } from '../recorded.ts';
import { type ControlEvidence, evidenceFor, type Framework, listed, readFramework } from './controls.ts';
import { code } from './page.ts';
import { isMeant } from './population.ts';
import { recordFiles, trustFiles } from './proofs.ts';
import { waivedLine } from './waived.ts';

export const reportEvidence: Verb = {
  name: 'report evidence',
  summary:
    'Packs the evidence for a framework: controls, rules, decisions, records with their proofs, and keys.',
  positionals: '',
  details:
    'The pack verifies with this program or with cosign alone. Exit code: 0 every record in it holds; 1 one does not, and the report names it; 3 there are none.',
  flags: {
    framework: { value: 'NAME|FILE', help: 'soc2, or a file of your own controls (kind: Controls)' },
    env: { value: 'PATTERN', help: "only environments of this name, * for any characters: 'production/*'" },
    from: { value: 'DATE', help: 'decisions from then on (2026-11-24, or a time in UTC)' },
    to: { value: 'DATE', help: 'up to then, which is left out (default now)' },
    trust: {
      value: 'FILE',
      help: "the keys and logs that you trust (default the Project's where it names logs, else trust.json of the state folder with the Project's keys)",
    },
    ...LEDGER_FLAGS,
    out: { value: 'FILE', help: 'the pack that is written, a .tar.gz' },
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [asked, out] = [args.text('framework'), args.text('out')];
  if (args.positionals.length > 0 || asked === undefined || out === undefined)
    throw new UsageError(
      '--framework, --from and --out are wanted',
      'countersign report evidence --framework soc2 --from 2026-01-01 --out pack.tar.gz',
    );
  const span = spanOf(args, io);
  const installation = findInstallation();
  const reader = openYamlReader(installation.toolchain);
  const framework = readFramework(asked, installation.policies, reader);
  const found = findProject(args.text('project'), reader);
  const place = ledgerPlace(args, found);
  const given = givenBy(args, { found, state: place.state, now: io.now() });
  const pattern = args.text('env');
  const records = (await recordedBetween(place, span, given)).filter(
    ({ decision }) => pattern === undefined || isMeant(pattern, decision.scope.environment),
  );
  if (records.length === 0)
    throw new EngineError('INPUT_EMPTY', 'there are no records to pack', {
      hint: 'name another span of time, or other environments',
    });
  const failing = records.filter((record) => faultsOf(checksOf(record, given)).length > 0);
  const evidence = evidenceFor(framework, records);
  const files = [
    { path: 'index.json', text: indexText({ framework, span, evidence, records, failing }) },
    { path: 'report.md', text: reportText({ framework, span, evidence, records, failing, given }) },
    ...records.flatMap((record) => recordFiles(join('records', record.decision.id), record)),
    ...trustFiles(given),
  ];
  writeWhole(
    out,
    writeArchive(
      files.map(({ path, text }) => ({ path, bytes: Buffer.from(text) })),
      out,
    ),
  );
  io.out(`${visible(out)}: ${counted(records, 'record')} for ${counted(evidence, 'control')}\n`);
  for (const { decision } of failing) io.err(`no  ${decision.id} does not hold\n`);
  return failing.length > 0 ? 1 : 0;
}

const counted = (of: readonly unknown[], noun: string): string =>
  `${of.length} ${noun}${of.length === 1 ? '' : 's'}`;

/** What is wrong with a proof; that the verdict is no allow is none: a denial is evidence too. */
const faultsOf = (checks: ReturnType<typeof checksOf>): ReturnType<typeof checksOf> =>
  checks.filter(({ name, holds }) => !holds && name !== 'decision');

interface Pack {
  readonly framework: Framework;
  readonly span: Span;
  readonly evidence: readonly ControlEvidence[];
  readonly records: readonly Recorded[];
  readonly failing: readonly Recorded[];
}

function indexText({ framework, span, evidence, records, failing }: Pack): string {
  const index = {
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'EvidencePack',
    framework: framework.name,
    from: span.from.toISOString(),
    to: span.to.toISOString(),
    controls: evidence,
    decisions: records.map(listed),
    failing: failing.map(({ decision }) => decision.id),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}

function reportText({
  framework,
  span,
  evidence,
  records,
  failing,
  given,
}: Pack & { readonly given: Given }): string {
  const verdicts = (verdict: string): number =>
    records.filter(({ decision }) => decision.verdict === verdict).length;
  const [first] = records;
  return `${[
    `# Evidence for ${code(framework.name)}`,
    '',
    `From ${span.from.toISOString()} up to ${span.to.toISOString()}: ${records.length} decisions, ${verdicts('allow')} allowed, ${verdicts('deny')} denied, ${verdicts('error')} without an answer.`,
    waivedLine(records),
    ...failing.map(({ decision }) => `\n**The record of ${decision.id} does not hold.**`),
    ...evidence.flatMap(({ id, title, rules }) => [
      '',
      `## ${id}: ${visible(title)}`,
      '',
      ...(rules.length === 0
        ? ['No rule of this control was evaluated: there is no evidence.']
        : [
            '| rule | decisions in which it held | in which it found something |',
            '| --- | ---: | ---: |',
            ...rules.map(({ rule, held, found }) => `| ${code(rule)} | ${held.length} | ${found.length} |`),
          ]),
    ]),
    '',
    '## How to verify',
    '',
    '`index.json` leads from controls to rules to decisions to records; each record has its signature and its proof of inclusion.',
    '',
    '```sh',
    ...(first === undefined
      ? []
      : [
          `countersign verify record records/${first.decision.id}/record.json --trust trust.json${timeFlagOf(first, given)}`,
        ]),
    'cosign verify-blob-attestation --key keys/NAME.pub --bundle records/ID/record.json --trusted-root trusted_root.json \\',
    '  --type https://countersign.dev/attestation/deployment-decision/v1 records/ID/set.txt',
    '```',
  ].join('\n')}\n`;
}
