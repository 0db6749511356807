// SPDX-License-Identifier: Apache-2.0
import { type Bytes, concat, Reader, refuse, section, signed, unsigned } from './bytes.ts';
import { onCycles } from './recursion.ts';
import { ANY, immediate, OP, type Scan, scanBody } from './scan.ts';

const I32 = 0x7f;
const I64 = 0x7e;
const SECTION = { type: 1, import: 2, function: 3, global: 6, export: 7, element: 9, code: 10 } as const;

/** What the start function may use, before a host can set a budget. */
const START_FUEL = 2 ** 31 - 1;
const START_DEPTH = 400;

interface Section {
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

interface Body extends Scan {
  readonly groups: number;
  readonly locals: number;
  readonly first: number;
  readonly start: number;
  readonly end: number;
}

interface Signature {
  readonly parameters: number;
  readonly results: readonly number[];
}

/**
 * Rewrites a module so that it counts: exported mutable globals `fuel` (i64; every function entry and loop header subtracts what
 * can run from there, below zero traps), `depth` (i32; calls that may still stand on the stack of functions that can recurse) and
 * `mut0…` (the module's own mutable globals, so that a host can rewind the whole state). Deterministic; the count is the same on
 * every machine. Custom sections are dropped.
 * @throws {EngineError} POLICY_MODULE for anything that is not known
 */
export function meter(bytes: Uint8Array): Uint8Array {
  // A valid module cannot name the globals that are about to be added, so it cannot refill its own fuel.
  if (!WebAssembly.validate(bytes)) refuse('it is not a valid module');
  const sections = sectionsOf(bytes);
  const open = (id: number): Reader => {
    const found = sections.find((one) => one.id === id) ?? refuse(`it has no section ${id}`);
    return new Reader(bytes, found.start, found.end);
  };
  const imported = importsOf(open(SECTION.import));
  const bodies = open(SECTION.code).list((reader) => bodyOf(bytes, reader));
  const types = open(SECTION.type).list(signatureOf);
  const signatures = open(SECTION.function).list((reader) => types[reader.u32()] ?? refuse('unknown type'));
  const table = sections.some((one) => one.id === SECTION.element) ? tableOf(open(SECTION.element)) : [];
  const globals = globalsOf(open(SECTION.global), imported.globals);
  const graph = new Map([
    ...bodies.map((body, index) => [imported.functions + index, body.calls] as const),
    [ANY, new Set(table)] as const,
  ]);
  const recursive = onCycles(graph);
  const code = bodies.map((body, index) => {
    const signature = signatures[index] ?? refuse('function and code sections differ');
    return rewriteBody(bytes, body, {
      signature,
      isRecursive: recursive.has(imported.functions + index),
      fuel: globals.fuel,
      depth: globals.depth,
    });
  });
  const replaced = new Map<number, Uint8Array>([
    [
      SECTION.global,
      append(SECTION.global, open(SECTION.global), [
        [I64, 1, 0x42, ...signed(START_FUEL), OP.end],
        [I32, 1, 0x41, ...signed(START_DEPTH), OP.end],
      ]),
    ],
    [SECTION.export, exportsWith(open(SECTION.export), open(SECTION.export), globals)],
    [SECTION.code, section(SECTION.code, [unsigned(code.length), ...code])],
  ]);
  const kept = sections.filter((one) => one.id !== 0);
  return concat([
    bytes.subarray(0, 8),
    ...kept.map((one) => replaced.get(one.id) ?? section(one.id, [bytes.subarray(one.start, one.end)])),
  ]);
}

function sectionsOf(bytes: Uint8Array): Section[] {
  const reader = new Reader(bytes, 8, bytes.length);
  const found: Section[] = [];
  while (reader.position < bytes.length) {
    const id = reader.byte();
    const size = reader.u32();
    found.push({ id, start: reader.position, end: reader.position + size });
    reader.skip(size);
  }
  return found;
}

const signatureOf = (reader: Reader): Signature => {
  if (reader.byte() !== 0x60) refuse('unknown kind of type');
  return {
    parameters: reader.list((each) => each.byte()).length,
    results: reader.list((each) => each.byte()),
  };
};

function importsOf(reader: Reader): { functions: number; globals: number } {
  const count = { functions: 0, globals: 0 };
  reader.list((each) => {
    each.name();
    each.name();
    const kind = each.byte();
    if (kind === 0) count.functions += each.u32() >= 0 ? 1 : 0;
    else if (kind === 2) memoryLimits(each);
    else if (kind === 3) {
      each.skip(2);
      count.globals++;
    } else refuse('unknown kind of import');
  });
  return count;
}

function memoryLimits(reader: Reader): void {
  const hasMaximum = (reader.byte() & 1) === 1;
  reader.u32();
  if (hasMaximum) reader.u32();
}

function tableOf(reader: Reader): number[] {
  return reader
    .list((each) => {
      if (each.u32() !== 0) refuse('unknown kind of element segment');
      constant(each);
      return each.list((item) => item.u32());
    })
    .flat();
}

/** Steps over a constant expression of one instruction. */
function constant(reader: Reader): void {
  immediate(reader, reader.byte());
  if (reader.byte() !== OP.end) refuse('unknown kind of constant');
}

interface Globals {
  readonly fuel: readonly number[];
  readonly depth: readonly number[];
  /** Indexes of the module's own mutable globals. */
  readonly mutable: readonly number[];
}

function globalsOf(reader: Reader, importedGlobals: number): Globals {
  const flags = reader.list((each) => {
    each.byte();
    const isMutable = each.byte() === 1;
    constant(each);
    return isMutable;
  });
  const first = importedGlobals + flags.length;
  return {
    fuel: unsigned(first),
    depth: unsigned(first + 1),
    mutable: flags.flatMap((isMutable, index) => (isMutable ? [importedGlobals + index] : [])),
  };
}

function append(id: number, reader: Reader, extra: readonly Bytes[]): Uint8Array {
  const count = reader.u32();
  return section(id, [
    unsigned(count + extra.length),
    reader.bytes.subarray(reader.position, reader.end),
    ...extra,
  ]);
}

function exportsWith(reader: Reader, names: Reader, globals: Globals): Uint8Array {
  names.list((each) => {
    if (/^(?:fuel|depth|mut\d+)$/.test(each.name())) refuse('an export has a name that is needed');
    each.skip(1);
    each.u32();
  });
  const exported = (name: string, index: readonly number[]): number[] => [
    name.length,
    ...Buffer.from(name),
    3,
    ...index,
  ];
  const own = globals.mutable.map((index, order) => exported(`mut${order}`, unsigned(index)));
  return append(SECTION.export, reader, [
    exported('fuel', globals.fuel),
    exported('depth', globals.depth),
    ...own,
  ]);
}

function bodyOf(bytes: Uint8Array, reader: Reader): Body {
  const size = reader.u32();
  const end = reader.position + size;
  const groups = reader.u32();
  const first = reader.position;
  let locals = 0;
  for (let group = 0; group < groups; group++) {
    locals += reader.u32();
    reader.byte();
  }
  const start = reader.position;
  reader.position = end;
  return { groups, locals, first, start, end, ...scanBody(bytes, start, end) };
}

interface Frame {
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

const TRAP = [OP.if, 0x40, 0x00, OP.end] as const;

function rewriteBody(bytes: Uint8Array, body: Body, frame: Frame): Uint8Array {
  const edits = editsOf(body, frame);
  const parts: Bytes[] = [unsigned(body.groups + 1), bytes.subarray(body.first, body.start), [1, I64]];
  let from = body.start;
  for (const edit of edits) {
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
  const edits = charges.map(({ at, cost }): Edit => ({ at, skip: 0, put: charge(cost, frame.fuel, spare) }));
  if (!frame.isRecursive) return edits;
  if (frame.signature.results.length > 1) refuse('a recursive function has several results');
  const [entry, ...loops] = edits;
  if (entry === undefined) return refuse('a function without a charge');
  const { depth } = frame;
  const enter = [
    0x23,
    ...depth,
    0x41,
    1,
    0x6b,
    0x24,
    ...depth,
    0x23,
    ...depth,
    0x41,
    0,
    0x48,
    ...TRAP,
    OP.block,
    frame.signature.results[0] ?? 0x40,
  ];
  const leave = [OP.end, 0x23, ...depth, 0x41, 1, 0x6a, 0x24, ...depth];
  const returns = body.returns.map(
    ({ at, depth: label }): Edit => ({ at, skip: 1, put: [OP.br, ...unsigned(label)] }),
  );
  const inner = [...loops, ...returns, { at: body.end - 1, skip: 0, put: leave }].sort((a, b) => a.at - b.at);
  return [{ ...entry, put: [...entry.put, ...enter] }, ...inner];
}

/** `fuel -= cost; if (fuel < 0) trap`, by way of a spare local. */
function charge(cost: number, fuel: readonly number[], spare: readonly number[]): number[] {
  return [
    0x23,
    ...fuel,
    0x42,
    ...signed(cost),
    0x7d,
    0x22,
    ...spare,
    0x24,
    ...fuel,
    0x20,
    ...spare,
    0x42,
    0,
    0x53,
    ...TRAP,
  ];
}
