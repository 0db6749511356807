// SPDX-License-Identifier: Apache-2.0
// When checkpoints were there: what was kept of an RFC 3161 authority, looked at offline.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  AttestError,
  type Reader,
  readSigstoreTrust,
  type SigstoreTrust,
  type Trust,
} from '../../../attest/index.ts';
import { heldSince, readTimed, type TimedCheckpoint } from '../../../attest/timestamp/index.ts';
import { EngineError } from '../../../engine/index.ts';
import type { Args } from '../../args.ts';
import { codeOf } from '../../cause.ts';
import { readSource } from '../../files.ts';
import type { Io } from '../../io.ts';
import type { Check } from '../decided.ts';

/** Who is believed about the time. */
export const TRUSTED_ROOT_HELP = 'trusted_root.json that names the timestamp authority';

const authoritiesOf = (args: Args): SigstoreTrust =>
  readSigstoreTrust(readSource(args.text('trusted-root') ?? '').bytes);

/** What the timestamps of a ledger say, and why one of them does not hold. */
export interface TimesFound {
  readonly refusals: readonly string[];
  /** The largest checkpoint whose time is known. */
  readonly newest?: { readonly size: number; readonly at: string };
}

/**
 * Looks at every timestamp in a folder, of which there must be one: its checkpoint must be one of this ledger as it is now.
 * Rejects with {AttestError} TRUST_SHAPE | TRUST_EXPIRED | LEDGER_CORRUPT, {EngineError} INPUT_UNREADABLE
 */
export async function timesOf(
  reader: Reader,
  entries: number,
  { args, io }: AskedTimes,
): Promise<TimesFound> {
  const folder = args.text('timestamps') ?? '';
  const question = {
    logs: [{ origin: reader.origin, key: reader.publicKey }],
    trust: authoritiesOf(args),
    now: io.now(),
  };
  const refusals: string[] = [];
  let newest: TimedCheckpoint | undefined;
  for (const name of namesIn(folder)) {
    const timed = readTimed(readSource(join(folder, name)).bytes, question);
    const why = typeof timed === 'string' ? timed : await strangeness(reader, entries, timed);
    if (why !== undefined) refusals.push(`the timestamp ${JSON.stringify(name)} does not hold: ${why}`);
    else if (typeof timed !== 'string' && timed.size >= (newest?.size ?? 0)) newest = timed;
  }
  // Whoever empties the folder must not get a yes.
  if (newest === undefined && refusals.length === 0)
    refusals.push(`no timestamp is kept in ${JSON.stringify(folder)}`);
  return {
    refusals,
    ...(newest === undefined ? {} : { newest: { size: newest.size, at: newest.at.toISOString() } }),
  };
}

interface AskedTimes {
  readonly args: Args;
  readonly io: Io;
}

/** Whether the ledger is another one than that which was stamped. */
async function strangeness(
  reader: Reader,
  entries: number,
  { size, root }: TimedCheckpoint,
): Promise<string | undefined> {
  if (size > entries) return `the ledger has ${entries} entries and had ${size}: its end was cut off`;
  try {
    if (Buffer.from(root).equals(await reader.root(size))) return undefined;
  } catch (error) {
    // What is wrong with the ledger itself is said beside this.
    if (!(error instanceof AttestError)) throw error;
  }
  return `the first ${size} entries are not those that were there`;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort();
  } catch (cause) {
    throw new EngineError('INPUT_UNREADABLE', `cannot read ${JSON.stringify(folder)}: ${codeOf(cause)}`, {
      cause,
      hint: 'the folder of the timestamps, as ledger.publish has it',
    });
  }
}

/**
 * Whom to believe where a checkpoint with its timestamp is given, and how that is said; as it was where there is none.
 * @throws {AttestError} TRUST_SHAPE | TRUST_EXPIRED
 */
export function believedSince(
  trust: Trust,
  { args, io }: AskedTimes,
): { readonly trust: Trust; readonly checks: readonly Check[] } {
  const file = args.text('timestamped');
  if (file === undefined) return { trust, checks: [] };
  const timed = readTimed(readSource(file).bytes, {
    logs: trust.logs,
    trust: authoritiesOf(args),
    now: io.now(),
  });
  if (typeof timed === 'string')
    return { trust, checks: [{ name: 'timestamp', holds: false, detail: timed }] };
  const detail = `the first ${timed.size} entries of the log were there at ${timed.at.toISOString()}`;
  return { trust: heldSince(trust, timed), checks: [{ name: 'timestamp', holds: true, detail }] };
}
