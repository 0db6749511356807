// SPDX-License-Identifier: Apache-2.0
// Records as the verbs of this folder read them: files, or those of a ledger between two times.
import { AttestError, type Bundle, openReader, type Row, type Rows } from '../../../attest/index.ts';
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
import { type LedgerPlace, openRows } from '../../ledger/place.ts';
import { type Believed, bundleOf } from './ended.ts';

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
  const decision = decisionIn(statement);
  return decision === undefined ? undefined : { decision, statement, bundle };
}

function decisionIn(statement: Uint8Array): DecisionPredicate | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(statement).toString('utf8'));
  } catch {
    return undefined;
  }
  return Reflect.get(Object(value), 'predicateType') === DECISION_PREDICATE_TYPE
    ? readDecision(statement)
    : undefined;
}

const ROWS_AT_ONCE = 512;

/**
 * The decisions of a ledger within a span, in its order, which is that of the appends and not of the times: a spool may have been
 * brought in late. So all are looked at. `believed` is whom they are to be proved to; absent where nobody verifies them.
 * Rejects with {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT, or {EngineError} RECORD_SHAPE
 */
export async function recordedBetween(
  place: LedgerPlace,
  { from, to }: Span,
  believed?: Believed,
): Promise<readonly Recorded[]> {
  const rows = await openRows(place);
  try {
    const reader = await openReader(rows);
    // The checkpoint first: whoever appends meanwhile makes the ledger longer, never shorter.
    const signed = (await reader.newest())?.size ?? 0;
    const size = await rows.size();
    if (size < signed) throw lost(`it has ${size} entries, and its newest checkpoint covers ${signed}`);
    const found: Recorded[] = [];
    for (let first = 0; first < size; first += ROWS_AT_ONCE)
      for (const row of await wholeStretch(rows, first, Math.min(size, first + ROWS_AT_ONCE))) {
        const decision = decisionIn(row.payload);
        const time = Date.parse(decision?.time ?? '');
        if (decision === undefined || !(time >= from.getTime() && time < to.getTime())) continue;
        // Its proof is made only of what is wanted.
        found.push({ decision, statement: row.payload, bundle: await bundleOf(reader, row, believed) });
      }
    return found;
  } finally {
    await rows.close();
  }
}

/** The rows of a stretch, every one: what is gone must not pass for what never was. */
async function wholeStretch(rows: Rows, from: number, to: number): Promise<readonly Row[]> {
  const found = await rows.entries(from, to);
  const numbers = new Set(found.map(({ number }) => number));
  for (let number = from; number < to; number++)
    if (!numbers.has(number)) throw lost(`entry ${number} was deleted`);
  return found;
}

const lost = (what: string): AttestError =>
  new AttestError('LEDGER_CORRUPT', `the ledger is damaged: ${what}`, {
    hint: 'countersign records verify names all that is gone; restore the ledger from a backup',
  });

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
