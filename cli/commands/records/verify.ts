// SPDX-License-Identifier: Apache-2.0
import {
  AttestError,
  auditLedger,
  checkpointOf,
  type Fault,
  type Reader,
  readCheckpoint,
  readTrust,
  type SignedCheckpoint,
} from '../../../attest/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import type { Io } from '../../io.ts';
import { withProgress } from '../../report/progress.ts';
import { type TimesFound, TRUSTED_ROOT_HELP, timesOf } from '../checkpoints/timestamps.ts';
import { refuseMore } from '../checkpoints/trusted_root.ts';
import { LEDGER_FLAGS, withReader } from './place.ts';

/** Faults that are shown; more are counted. */
const MOST_SHOWN = 100;

export const recordsVerify: Verb = {
  name: 'records verify',
  summary:
    'Makes the whole tree of the ledger again from its rows, and says what was deleted, changed, moved or added.',
  positionals: '',
  details:
    'Every signature, every leaf, every stored node and every checkpoint is looked at. What was cut off from the end with its checkpoints\nis found only by a checkpoint that was kept elsewhere. Exit code: 0 the ledger holds, 1 it does not.',
  flags: {
    since: { value: 'FILE', help: 'a checkpoint of earlier: the ledger must have grown from it' },
    trust: {
      value: 'FILE',
      help: "trust file that must name the ledger's key; without it the ledger is who it says it is",
    },
    timestamps: {
      value: 'DIR',
      needs: ['trusted-root'],
      help: 'folder of kept timestamps: each must be of this ledger, as it is',
    },
    'trusted-root': { value: 'FILE', needs: ['timestamps'], help: TRUSTED_ROOT_HELP },
    format: { value: 'text|json', help: 'how to print the result' },
    ...LEDGER_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  refuseMore(args, 'records verify');
  const format = args.text('format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are text, json');
  const result = await withReader(args, (reader) => verify(args, reader, io));
  const holds = result.refusals.length === 0 && result.faults.length === 0;
  io.out(
    format === 'json'
      ? `${JSON.stringify({ verified: holds, ...result }, null, 2)}\n`
      : textOf(result, holds),
  );
  return holds ? 0 : 1;
}

interface Result {
  readonly log: string;
  readonly entries: number;
  readonly checkpoints: number;
  readonly root: string;
  readonly since?: number;
  /** The largest checkpoint that an authority dated. */
  readonly timestamped?: TimesFound['newest'];
  /** What does not hold of the log as a whole. */
  readonly refusals: readonly string[];
  readonly faults: readonly Fault[];
}

async function verify(args: Args, reader: Reader, io: Io): Promise<Result> {
  const refusals: string[] = [];
  if (args.has('trust') && !isTrusted(args, reader))
    refusals.push(`the ledger calls itself ${JSON.stringify(reader.origin)}, with a key that is not trusted`);
  const kept = args.text('since');
  const since = kept === undefined ? undefined : readKept(kept, reader);
  if (kept !== undefined && since === undefined)
    refusals.push(
      `the checkpoint in ${JSON.stringify(kept)} is not of this log: another name, or another key`,
    );
  const audit = await withProgress(io, 'verifying', (onProgress) =>
    auditLedger({
      reader,
      ...(since === undefined ? {} : { since }),
      ...(onProgress === undefined ? {} : { onProgress }),
    }),
  );
  const times: TimesFound = args.has('timestamps')
    ? await timesOf(reader, audit.entries, { args, io })
    : { refusals: [] };
  refusals.push(...times.refusals);
  return {
    log: reader.origin,
    entries: audit.entries,
    checkpoints: audit.checkpoints,
    root: audit.root === undefined ? '' : Buffer.from(audit.root).toString('base64'),
    ...(since === undefined ? {} : { since: since.size }),
    ...(times.newest === undefined ? {} : { timestamped: times.newest }),
    refusals,
    faults: audit.faults,
  };
}

/** @throws {AttestError} TRUST_SHAPE */
function isTrusted(args: Args, reader: Reader): boolean {
  const trust = readTrust(
    JSON.parse(Buffer.from(readSource(args.text('trust') ?? '').bytes).toString('utf8')),
  );
  return trust.logs.some(({ origin, key }) => origin === reader.origin && key.equals(reader.publicKey));
}

/** A checkpoint that was kept, where this ledger's key signed it. @throws {AttestError} CHECKPOINT_SHAPE where it is none at all */
function readKept(file: string, { origin, publicKey }: Reader): SignedCheckpoint | undefined {
  const note = Buffer.from(readSource(file).bytes).toString('utf8');
  const read = readCheckpoint(note);
  if (read === undefined)
    throw new AttestError('CHECKPOINT_SHAPE', `${JSON.stringify(file)} holds no checkpoint`, {
      hint: 'give what records checkpoint printed, or what was published',
    });
  try {
    return checkpointOf({ size: read.size, note }, origin, publicKey);
  } catch (error) {
    if (error instanceof AttestError) return undefined;
    throw error;
  }
}

function textOf(result: Result, holds: boolean): string {
  const { log, entries, checkpoints, since, timestamped, refusals, faults } = result;
  const shown = faults.slice(0, MOST_SHOWN).map((fault) => `no  ${sentenceOf(fault)}`);
  const more = faults.length - shown.length;
  return [
    ...refusals.map((refusal) => `no  ${refusal}`),
    ...shown,
    ...(more > 0 ? [`no  and ${more} more`] : []),
    ...(holds && since !== undefined
      ? [`ok  nothing before entry ${since} was changed since that checkpoint`]
      : []),
    ...(holds && timestamped !== undefined
      ? [`ok  the first ${timestamped.size} entries were there at ${timestamped.at}`]
      : []),
    `${log}: ${entries} entries under ${checkpoints} checkpoints, ${holds ? 'all as they were signed' : 'not as they were signed'}`,
    '',
  ].join('\n');
}

function sentenceOf(fault: Fault): string {
  switch (fault.what) {
    case 'changed':
      return `entry ${fault.index} was changed`;
    case 'deleted':
      return `entry ${fault.index} was deleted`;
    case 'inserted':
      return `row ${fault.index} was inserted: the log never added it`;
    case 'reordered':
      return `entry ${fault.index} was moved to another place`;
    case 'signature':
      return `entry ${fault.index} is not signed by the key that it names`;
    case 'node':
      return `node ${fault.level}/${fault.index} of the stored tree was changed or deleted`;
    case 'checkpoint':
      return `the checkpoint over ${fault.size} entries is not signed by the log`;
    case 'entries':
      return `entries ${fault.index} to ${fault.to - 1} do not lead to the root that was signed over ${fault.to}`;
    case 'uncovered':
      return `entries ${fault.index} to ${fault.to - 1} are under no checkpoint`;
    case 'shrunk':
      return `the ledger has ${fault.size} entries and had ${fault.to}: its end was cut off`;
    case 'rewritten':
      return `the first ${fault.size} entries are not those of the checkpoint that was kept`;
  }
}
