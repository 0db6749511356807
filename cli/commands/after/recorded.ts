// SPDX-License-Identifier: Apache-2.0
// Records as the verbs of this folder read them: files, or those of a ledger between two times.
import { type Bundle, openLedger } from '../../../attest/index.ts';
import { EngineError } from '../../../engine/index.ts';
import {
  DECISION_PREDICATE_TYPE,
  type DecisionPredicate,
  readDecision,
} from '../../../engine/record/predicate.ts';
import type { Args } from '../../args.ts';
import { UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import type { Io } from '../../io.ts';

/** One decision record. Its signature has not been looked at. */
export interface Recorded {
  readonly decision: DecisionPredicate;
  readonly statement: Uint8Array;
  readonly bundle: Bundle;
}

/** A stretch of time, the end left out. */
export interface Span {
  readonly from: Date;
  readonly to: Date;
}

/** A record from a file. @throws {EngineError} RECORD_SHAPE | INPUT_UNREADABLE */
export function readRecorded(file: string): Recorded {
  const { bytes } = readSource(file);
  let bundle: Bundle;
  try {
    bundle = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new EngineError('RECORD_SHAPE', `${JSON.stringify(file)} is no record`, { cause });
  }
  const recorded = recordedIn(bundle);
  if (recorded !== undefined) return recorded;
  throw new EngineError('RECORD_SHAPE', `${JSON.stringify(file)} is no record of a decision`);
}

/** The decision that a bundle records; undefined where it records something else. @throws {EngineError} RECORD_SHAPE */
function recordedIn(bundle: Bundle): Recorded | undefined {
  const payload: unknown = Reflect.get(Object(Reflect.get(Object(bundle), 'dsseEnvelope')), 'payload');
  if (typeof payload !== 'string') return undefined;
  const statement = Buffer.from(payload, 'base64');
  let value: unknown;
  try {
    value = JSON.parse(statement.toString('utf8'));
  } catch {
    return undefined;
  }
  if (Reflect.get(Object(value), 'predicateType') !== DECISION_PREDICATE_TYPE) return undefined;
  return { decision: readDecision(statement), statement, bundle };
}

/**
 * The decisions of a ledger within a span, in its order, which is that of the appends and not of the times: a spool may have been
 * brought in late. So all are looked at.
 * @throws {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT
 */
export async function recordedBetween(state: string, { from, to }: Span): Promise<readonly Recorded[]> {
  const ledger = openLedger({ directory: state, create: false, now: () => to });
  try {
    const found: Recorded[] = [];
    for (let index = ledger.size() - 1; index >= 0; index--) {
      const bundle = ledger.bundle(index);
      const recorded = bundle === undefined ? undefined : recordedIn(bundle);
      if (recorded === undefined) continue;
      const time = Date.parse(recorded.decision.time);
      if (time >= from.getTime() && time < to.getTime()) found.push(recorded);
    }
    return found.reverse();
  } finally {
    await ledger.close();
  }
}

/** `--from` and `--to`: dates in UTC, or times. @throws {UsageError} */
export function spanOf(args: Args, io: Io): Span {
  const from = timeOf('from', args.text('from'));
  const to = timeOf('to', args.text('to')) ?? new Date(io.now().getTime() + 1);
  if (from === undefined) throw new UsageError('--from is missing', 'such as --from 2026-11-01');
  if (from < to) return { from, to };
  throw new UsageError('--to is not after --from', 'the end is left out: --from 2026-11-01 --to 2026-12-01');
}

function timeOf(flag: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const form = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,3})?Z)?$/;
  const time = form.test(text) ? new Date(text) : undefined;
  // Node takes the thirtieth of February for a day in March.
  if (time !== undefined && !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text.slice(0, 10)))
    return time;
  throw new UsageError(
    `--${flag} ${JSON.stringify(text)} is no date`,
    'such as 2026-11-24, or 2026-11-24T12:00:00Z, in UTC',
  );
}
