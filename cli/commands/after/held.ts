// SPDX-License-Identifier: Apache-2.0
import type { Trust } from '../../../attest/index.ts';
import { proveRecord } from '../decided.ts';
import type { Recorded } from './recorded.ts';

/** A record is signed after it was decided, by a log that may have been founded for it. */
const SIGNED_WITHIN_MS = 60_000;

/** The time at which a record is asked whether it held: when it had just been signed. */
export const heldAt = ({ decision }: Recorded): Date =>
  new Date(Date.parse(decision.time) + SIGNED_WITHIN_MS);

/** Whether somebody who is trusted said it, for that environment; what was decided, and for where, is another question. */
const SAID: ReadonlySet<string> = new Set(['signature and ledger', 'statement', 'set', 'environment']);

/** Why a record is not what it says; undefined where it is. */
export function faultOf(record: Recorded, trust: Trust): string | undefined {
  const bytes = Buffer.from(JSON.stringify(record.bundle));
  const { checks } = proveRecord(bytes, trust, { at: heldAt(record), policyDigests: [] });
  return checks.find(({ name, holds }) => !holds && SAID.has(name))?.detail;
}
