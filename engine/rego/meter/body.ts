// SPDX-License-Identifier: Apache-2.0
import { type Bytes, concat, type Reader, refuse, signed, unsigned } from './bytes.ts';
import { readType, type Signature } from './layout.ts';
import { type Charge, NO_RESULT, OP, type Scan, scanBody } from './scan.ts';

/** One function's body and what a scan found in it. */
export interface Body extends Scan {
  readonly groups: number;
  readonly locals: number;
  /** Where the groups of locals begin, where the instructions begin, where they end. */
  readonly first: number;
  readonly start: number;
  readonly end: number;
}

/** What a body is rewritten with; `fuel` and `depth` are the globals' indexes, encoded. */
export interface Frame {
  readonly signature: Signature;
  readonly isRecursive: boolean;
  readonly fuel: readonly number[];
  readonly depth: readonly number[];
}

interface Edit {
  readonly at: number;
  readonly skip: number;
  readonly put: readonly number[];
}

const I64 = 0x7e;
const TRAP = [OP.if, NO_RESULT, OP.unreachable, OP.end] as const;

export function readBody(reader: Reader): Body {
  const size = reader.u32();
  const end = reader.position + size;
  const groups = reader.u32();
  const first = reader.position;
  let locals = 0;
  for (let group = 0; group < groups; group++) {
    locals += reader.u32();
    readType(reader);
  }
  const start = reader.position;
  reader.position = end;
  return { groups, locals, first, start, end, ...scanBody(reader.bytes, start, end) };
}

/** The body with its charges, and one more local for them. */
export function rewriteBody(bytes: Uint8Array, body: Body, frame: Frame): Uint8Array {
  const parts: Bytes[] = [unsigned(body.groups + 1), bytes.subarray(body.first, body.start), [1, I64]];
  let from = body.start;
  for (const edit of editsOf(body, frame)) {
    parts.push(bytes.subarray(from, edit.at), edit.put);
    from = edit.at + edit.skip;
  }
  parts.push(bytes.subarray(from, body.end));
  const whole = concat(parts);
  return concat([unsigned(whole.length), whole]);
}

/** A recursive body is put into a block, and its `return`s leave that block, so that the way out always gives the depth back. */
function editsOf(body: Body, frame: Frame): readonly Edit[] {
  const spare = unsigned(frame.signature.parameters + body.locals);
  const charges = body.charges.filter(({ cost }, index) => cost > 0 || index === 0);
  const edits = charges.flatMap((one) => chargesOf(one, frame.fuel, spare));
  if (!frame.isRecursive) return edits;
  if (frame.signature.results.length > 1) refuse('a recursive function has several results');
  const [entry, ...loops] = edits;
  if (entry === undefined) return refuse('a function without a charge');
  const opened = [...entry.put, ...enter(frame), OP.block, frame.signature.results[0] ?? NO_RESULT];
  const returns = body.returns.map(
    ({ at, depth: label }): Edit => ({ at, skip: 1, put: [OP.br, ...unsigned(label)] }),
  );
  const closed: Edit = { at: body.end - 1, skip: 0, put: [OP.end, ...leave(frame)] };
  return [{ ...entry, put: opened }, ...[...loops, ...returns, closed].sort((a, b) => a.at - b.at)];
}

/**
 * A loop that calls nothing keeps the fuel in the spare local and only writes the global: read there each time, the memory behind it
 * would be what the loop waits for.
 */
function chargesOf(one: Charge, fuel: readonly number[], spare: readonly number[]): readonly Edit[] {
  const { at, opens, cost, isAlone, around } = one;
  if (around === undefined || !isAlone)
    return [{ at, skip: 0, put: charge([OP.globalGet, ...fuel], cost, fuel, spare) }];
  const put = charge([OP.localGet, ...spare], cost, fuel, spare);
  // A body or a loop around it that calls nothing either has the local filled already.
  if (around.isAlone) return [{ at, skip: 0, put }];
  const filled: Edit = { at: opens, skip: 0, put: [OP.globalGet, ...fuel, OP.localSet, ...spare] };
  return [filled, { at, skip: 0, put }];
}

/** `fuel -= cost; if (fuel < 0) trap`, by way of a spare local. */
const charge = (
  from: readonly number[],
  cost: number,
  fuel: readonly number[],
  spare: readonly number[],
): number[] => [
  ...from,
  OP.i64Const,
  ...signed(cost),
  OP.i64Sub,
  OP.localTee,
  ...spare,
  OP.globalSet,
  ...fuel,
  OP.localGet,
  ...spare,
  OP.i64Const,
  0,
  OP.i64LessSigned,
  ...TRAP,
];

/** `depth -= 1; if (depth < 0) trap`. */
const enter = ({ depth }: Frame): number[] => [
  OP.globalGet,
  ...depth,
  OP.i32Const,
  1,
  OP.i32Sub,
  OP.globalSet,
  ...depth,
  OP.globalGet,
  ...depth,
  OP.i32Const,
  0,
  OP.i32LessSigned,
  ...TRAP,
];

/** `depth += 1`. */
const leave = ({ depth }: Frame): number[] => [
  OP.globalGet,
  ...depth,
  OP.i32Const,
  1,
  OP.i32Add,
  OP.globalSet,
  ...depth,
];
