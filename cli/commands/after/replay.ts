// SPDX-License-Identifier: Apache-2.0
import { type Inputs, openInputs } from '../../../attest/index.ts';
import { EngineError } from '../../../engine/index.ts';
import type { Policy } from '../../../engine/policy/index.ts';
import type { BuiltinServer } from '../../../engine/rego/index.ts';
import { readPolicy } from '../../../engine/replay/policy.ts';
import { type Change, type Instead, replayInstead, replaySame } from '../../../engine/replay/replay.ts';
import { openRegoBuiltins } from '../../../engine/toolchain/builtins.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { findInstallation, type Installation } from '../../installation.ts';
import type { Io } from '../../io.ts';
import { type LedgerPlace, ledgerPlace, POSTGRES_FLAG } from '../../ledger/place.ts';
import { findProject } from '../../loading/project.ts';
import { withProgress } from '../../report/progress.ts';
import type { Believed } from './ended.ts';
import { givenBy } from './given.ts';
import { faultOf } from './held.ts';
import { openInstead } from './instead.ts';
import { type Recorded, readRecorded, recordedBetween, spanOf } from './recorded.ts';
import { jsonOf, markdownOf, type Replay, textOf } from './replay_report.ts';

export const replay: Verb = {
  name: 'replay',
  summary:
    'Decides recorded changes again: by the recorded policies, or by others, to see what they would change.',
  positionals: '[RECORD…]',
  details: [
    'Without --policy and --instead the recorded policies decide, and each record must come out the same, byte for byte.',
    '--policy alone decides in their place; --instead FILE decides by the environments of that Project, to which --policy adds.',
    'Each record is verified first: its signature, its place in the log, its environment. One that does not hold is not replayed.',
    'Exit code: 0 all are repeated and nothing differs; 1 something does, or a record does not hold; 3 there is nothing to replay, or some',
    'could not be repeated (--partial allows that); 4 and 5: no answer.',
  ].join('\n'),
  flags: {
    from: {
      value: 'DATE',
      help: 'replay the records of the ledger from then on (2026-11-24, or a time in UTC)',
    },
    to: { value: 'DATE', needs: ['from'], help: 'up to then, which is left out (default now)' },
    env: { value: 'NAME', needs: ['from'], help: 'only those of this environment' },
    state: {
      value: 'DIR',
      help: "folder of ledger and kept inputs (default .countersign, or the Project's ledger)",
    },
    project: {
      value: 'FILE',
      help: 'the Project (default countersign.yaml in this folder, if there is one)',
    },
    ledger: { needs: ['from'], help: '', ...POSTGRES_FLAG['ledger'] },
    trust: {
      value: 'FILE',
      help: "the keys and logs that you trust (default the Project's where it names logs, else trust.json of the state folder with the Project's keys)",
    },
    unverified: { excludes: ['trust'], help: 'take the records as they are: no signature is looked at' },
    partial: { help: 'exit code 0 also where some records could not be repeated' },
    policy: { value: 'PATH', multiple: true, help: 'folder, file or bundle of policies that decide instead' },
    instead: { value: 'FILE', help: 'a Project whose environments decide instead' },
    'team-label': {
      value: 'KEY',
      needs: ['policy', 'instead'],
      help: 'label of objects that names their team (default team)',
    },
    format: { value: 'text|json|markdown', help: 'how to print the result; markdown is for a merge request' },
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const format = args.text('format') ?? 'text';
  if (format !== 'text' && format !== 'json' && format !== 'markdown')
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are text, json, markdown');
  if (args.positionals.length > 0 === args.has('from'))
    throw new UsageError('records or --from, one of the two', 'countersign replay RECORD…, or --from DATE');
  const installation = findInstallation();
  const found = findProject(args.text('project'), openYamlReader(installation.toolchain));
  const place = ledgerPlace(args, found);
  const believed = args.has('unverified')
    ? undefined
    : givenBy(args, { found, state: place.state, now: io.now() });
  const records = await recordsOf(args, io, { place, believed });
  if (records.length === 0)
    throw new EngineError('INPUT_EMPTY', 'there are no records to replay', {
      hint: 'name others, or another span of time',
    });
  const inputs = openInputs(place.state, { create: false });
  try {
    const report = await replayAll(records, { args, io, installation, inputs, believed });
    io.out(format === 'json' ? jsonOf(report) : format === 'markdown' ? markdownOf(report) : textOf(report));
    return exitOf(report, args.has('partial'));
  } finally {
    inputs.close();
  }
}

interface Source {
  readonly place: LedgerPlace;
  readonly believed: Believed | undefined;
}

async function recordsOf(args: Args, io: Io, { place, believed }: Source): Promise<readonly Recorded[]> {
  if (!args.has('from')) return args.positionals.map(readRecorded);
  const environment = args.text('env');
  const all = await recordedBetween(place, spanOf(args, io), believed);
  return environment === undefined
    ? all
    : all.filter(({ decision }) => decision.scope.environment === environment);
}

interface Setting {
  readonly args: Args;
  readonly io: Io;
  readonly installation: Installation;
  readonly inputs: Inputs;
  /** Absent: no signature is looked at. */
  readonly believed: Believed | undefined;
}

async function replayAll(records: readonly Recorded[], setting: Setting): Promise<Replay> {
  const { args, io, installation, inputs, believed } = setting;
  const builtins = openRegoBuiltins(installation.toolchain);
  const isOther = args.has('policy') || args.has('instead');
  const instead = isOther ? await openInstead(args, io, { installation, builtins }) : undefined;
  const label = args.text('team-label') ?? 'team';
  const policies = policyShelf(inputs, builtins);
  const left: { id: string; why: string }[] = [];
  const refused: { id: string; why: string }[] = [];
  const changes: Change[] = [];
  const differing: { id: string; members: readonly string[] }[] = [];
  await withProgress(io, 'replaying', async (onProgress) => {
    for (const [index, record] of records.entries()) {
      const fault = believed === undefined ? undefined : faultOf(record, believed);
      const outcome = fault ?? replayOne(record, { inputs, policies, instead, label });
      if (fault !== undefined) refused.push({ id: record.decision.id, why: fault });
      else if (typeof outcome === 'string') left.push({ id: record.decision.id, why: outcome });
      else if ('members' in outcome) differing.push(outcome);
      else changes.push(outcome);
      onProgress?.(index + 1, records.length);
    }
  });
  const replayed = records.length - left.length - refused.length;
  const counts = { replayed, left, refused, isVerified: believed !== undefined };
  const same = differing.filter(({ members }) => members.length > 0);
  return isOther ? { ...counts, changes } : { ...counts, differing: same };
}

interface Bench {
  readonly inputs: Inputs;
  readonly policies: (digests: readonly string[]) => readonly Policy[] | undefined;
  readonly instead: ((environment: string | undefined) => Instead | undefined) | undefined;
  readonly label: string;
}

/** What came of one record; a text where it could not be replayed, and why. */
function replayOne(
  { decision, statement }: Recorded,
  { inputs, policies, instead, label }: Bench,
): Change | { readonly id: string; readonly members: readonly string[] } | string {
  if (decision.inputs === undefined) return 'its inputs were not kept';
  if (!decision.inputs.replayable)
    return `it cannot be repeated: ${(decision.inputs.because ?? []).join(', ')}`;
  const kept = inputs.get('input', decision.inputs.digest.sha256);
  if (kept === undefined) return 'its inputs are not here, or no longer';
  const record = { decision, statement, kept };
  if (instead !== undefined) {
    const others = instead(decision.scope.environment);
    return others === undefined
      ? 'no environment of that Project decides it'
      : replayInstead(record, others, label);
  }
  const recorded = policies(decision.policies.map(({ digest }) => digest.sha256));
  if (recorded === undefined) return 'a policy that decided it is not here';
  return { id: decision.id, members: replaySame(record, recorded) };
}

/** The policies by their digests, each loaded once and never from the cache of compiled ones. */
function policyShelf(inputs: Inputs, builtins: BuiltinServer): Bench['policies'] {
  const loaded = new Map<string, Policy>();
  const load = (digest: string): Policy | undefined => {
    const there = loaded.get(digest);
    if (there !== undefined) return there;
    const bytes = inputs.get('policy', digest);
    const policy = bytes === undefined ? undefined : readPolicy(bytes, digest, builtins);
    if (policy !== undefined) loaded.set(digest, policy);
    return policy;
  };
  return (digests) => {
    const found = digests.map(load).filter((policy) => policy !== undefined);
    return found.length === digests.length ? found : undefined;
  };
}

/** Nothing replayed is never the same, and what could not be is only where that is allowed; the highest code counts. */
function exitOf(report: Replay, isPartial: boolean): ExitCode {
  const { replayed, left, refused } = report;
  if (left.length > 0 && (replayed === 0 || !isPartial)) return 3;
  const differs =
    'changes' in report ? report.changes.some(({ was, now }) => was !== now) : report.differing.length > 0;
  return differs || refused.length > 0 ? 1 : 0;
}
