// SPDX-License-Identifier: Apache-2.0
import { Reader, refuse } from './bytes.ts';

/** The instructions that are looked for or written. @see https://webassembly.github.io/spec/core/binary/instructions.html */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  i64Const: 0x42,
  i32LessSigned: 0x48,
  i64LessSigned: 0x53,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i64Sub: 0x7d,
} as const;

/** Stands in a call graph for "any function in the table". */
export const ANY = -1;

/** A charge of a function body. */
export interface Charge {
  /** Where it stands: behind the header of its loop, or at the function's first instruction. */
  readonly at: number;
  /** The loop's own instruction; for a function where its first one is. */
  readonly opens: number;
  readonly cost: number;
  /** Nothing is called from here to the loop's end, so that only charges of this body change the fuel meanwhile. */
  readonly isAlone: boolean;
  /** The charge around this one; undefined for the function's. */
  readonly around?: Charge;
}

/** One function body: where to charge and how much, which `return`s to redirect, what it calls. */
export interface Scan {
  /** The first charge is that of the function itself. */
  readonly charges: readonly Charge[];
  readonly returns: readonly { readonly at: number; readonly depth: number }[];
  readonly calls: ReadonlySet<number>;
}

interface Counted extends Charge {
  cost: number;
  isAlone: boolean;
  readonly around?: Counted;
}

/**
 * One pass over a body. A charge stands at the function's entry and at each loop's header and counts every instruction that can
 * run from there without passing another: every cycle of a program passes one of them, since backward branches only reach loops.
 */
export function scanBody(bytes: Uint8Array, start: number, end: number): Scan {
  const reader = new Reader(bytes, start, end);
  let here: Counted = { at: start, opens: start, cost: 0, isAlone: true };
  const charges: Counted[] = [here];
  const returns: { at: number; depth: number }[] = [];
  const calls = new Set<number>();
  const owners: Counted[] = [here];
  while (owners.length > 0) {
    const at = reader.position;
    const op = reader.byte();
    const target = immediate(reader, op);
    here.cost++;
    if (op === OP.block || op === OP.if || op === OP.loop) owners.push(here);
    if (op === OP.loop) {
      here = { at: reader.position, opens: at, cost: 0, isAlone: true, around: here };
      charges.push(here);
    }
    if (op === OP.end) here = owners.pop() ?? refuse('unbalanced end');
    if (op === OP.return) returns.push({ at, depth: owners.length - 1 });
    if (op === OP.call) calls.add(target);
    if (op === OP.callIndirect) calls.add(ANY);
    if (op === OP.call || op === OP.callIndirect) shared(here);
  }
  if (reader.position !== end) refuse('code after the end of a function');
  return { charges, returns, calls };
}

/** What is called may charge as well. */
function shared(charge: Counted): void {
  for (let each: Counted | undefined = charge; each?.isAlone === true; each = each.around)
    each.isAlone = false;
}

/** The type of a block that leaves nothing. */
export const NO_RESULT = 0x40;
/** 2^3 bytes, that of the widest number. */
const MAX_ALIGNMENT = 3;
const NO_IMMEDIATE: ReadonlySet<number> = new Set([0x00, 0x01, OP.else, OP.end, OP.return, 0x1a, 0x1b]);

/** Steps over the immediates of an instruction; a call's target is the result. What is not known here is refused, never skipped. */
export function immediate(reader: Reader, op: number): number {
  if ((op >= 0x45 && op <= 0xc4) || NO_IMMEDIATE.has(op)) return 0; // numeric; control without operands
  if (op >= 0x28 && op <= 0x3e) return memoryAccess(reader);
  if (op >= 0x20 && op <= 0x24) return leb(reader, 5); // local.*, global.*
  if (op === OP.br || op === OP.brIf || op === OP.call) return reader.u32();
  if (op === OP.block || op === OP.loop || op === OP.if) return blockType(reader);
  if (op === OP.brTable) return branchTable(reader);
  if (op === OP.callIndirect) return pair(reader);
  return constantOrRare(reader, op);
}

function constantOrRare(reader: Reader, op: number): number {
  if (op === OP.i32Const) return leb(reader, 5);
  if (op === OP.i64Const) return leb(reader, 10);
  if (op === 0x43 || op === 0x44) return skip(reader, op === 0x43 ? 4 : 8); // f32.const, f64.const
  if (op === 0x3f || op === 0x40) return reader.byte() === 0 ? 0 : refuse('it has several memories'); // memory.size, memory.grow
  if (op !== 0xfc) return refuse(`opcode 0x${op.toString(16)} is not known`);
  // memory.init, copy and fill run for as long as an operand says and would need a charge by length
  const saturating = reader.u32();
  return saturating <= 7 ? 0 : refuse(`opcode 0xfc ${saturating} is not known`);
}

function leb(reader: Reader, max: number): number {
  reader.skipLeb(max);
  return 0;
}

function pair(reader: Reader): number {
  reader.skipLeb(5);
  return leb(reader, 5);
}

/** Alignment and offset. A flag in the alignment puts a memory's index before the offset, which would be read as an instruction. */
function memoryAccess(reader: Reader): number {
  if (reader.byte() > MAX_ALIGNMENT) refuse('it has several memories');
  return leb(reader, 5);
}

function skip(reader: Reader, count: number): number {
  reader.skip(count);
  return 0;
}

/**
 * Nothing, a number, or the index of a type. Any other type is negative where an index would be, and one of references is longer
 * than it looks: what follows would be read as instructions, behind which a loop can hide.
 */
function blockType(reader: Reader): number {
  const type = reader.byte();
  if (type === NO_RESULT || (type >= 0x7c && type <= 0x7f)) return 0;
  let last = type;
  for (let length = 1; last >= 0x80; length++) last = length < 5 ? reader.byte() : refuse('bad LEB128');
  return (last & 0x40) === 0 ? 0 : refuse('unknown kind of block');
}

function branchTable(reader: Reader): number {
  reader.list((each) => each.u32());
  return leb(reader, 5);
}
