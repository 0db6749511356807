// SPDX-License-Identifier: Apache-2.0
import { type Check, proveRecord } from '../decided.ts';
import { type Believed, endedOf } from './ended.ts';
import type { Recorded } from './recorded.ts';

/** A record is signed after it was decided, by a log that may have been founded for it. */
const SIGNED_WITHIN_MS = 60_000;

/** The time at which a record is asked whether it held: when it had just been signed. */
const heldAt = ({ decision }: Recorded): Date => new Date(Date.parse(decision.time) + SIGNED_WITHIN_MS);

/** Whether somebody who is trusted said it, for that environment; what was decided, and for where, is another question. */
const SAID: ReadonlySet<string> = new Set(['signature and ledger', 'statement', 'set', 'environment']);

const isFault = ({ name, holds }: Check): boolean => !holds && SAID.has(name);

/**
 * Everything that is asked of a record, at the time when it had just been signed. That time is the signer's word: where its key or its
 * log has ended since, it must hold now as well, by the checkpoint that was kept (a stolen key dates its records back).
 */
export function checksOf(record: Recorded, believed: Believed): readonly Check[] {
  const bytes = Buffer.from(JSON.stringify(record.bundle));
  const at = (time: Date): readonly Check[] =>
    proveRecord(bytes, believed.trust, { at: time, policyDigests: [] }).checks;
  const then = at(heldAt(record));
  if (then.some(isFault) || endedOf(record.bundle, believed) === undefined) return then;
  const now = at(believed.now);
  return now.some(isFault) ? now.map(undated) : then;
}

const undated = (check: Check): Check =>
  isFault(check) ? { ...check, detail: `${check.detail}; that it was signed before cannot be shown` } : check;

/** Why a record is not what it says; undefined where it is. */
export const faultOf = (record: Recorded, believed: Believed): string | undefined =>
  checksOf(record, believed).find(isFault)?.detail;

/** How `verify record` is asked the same: no time is named that only the signer says. */
export const timeFlagOf = (record: Recorded, believed: Believed): string =>
  endedOf(record.bundle, believed) === undefined ? ` --at ${heldAt(record).toISOString()}` : '';
