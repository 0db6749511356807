// SPDX-License-Identifier: Apache-2.0
import { type BuiltinServer, type Calls, newCalls } from './builtins/index.ts';
import { type PolicyExports, readExports } from './exports.ts';
import { bindBuiltins, type Host, importsOf, put, readEntrypoints, takeText } from './host.ts';
import { newMemory, PAGE_BYTES } from './memory.ts';
import { refuse } from './meter/index.ts';

/** One instance of a policy's module. */
export interface Machine {
  /** For the module and evaluations, without what is for data. */
  readonly memoryBytes: number;
  readonly entrypoints: ReadonlyMap<string, number>;
  /** Address behind all that the module has of its own, where data begins; the heap of evaluations begins behind the data. */
  readonly dataStart: number;
  readonly memory: () => Uint8Array;
  /** From now on a rewind puts everything below this address back to what it is now. */
  keep(end: number): void;
  /** Puts memory and globals back to what they were, with new budgets. */
  rewind(fuel: bigint, depth: number): void;
  /** What builtins know and leave behind from now on. */
  begin(calls: Calls): void;
  /** Below zero when the budget is spent; it stays so until the next rewind. */
  fuelLeft(): bigint;
  depthLeft(): number;
  /** What the evaluation since the last rewind took. */
  heapBytes(): number;
  /** Parses with the heap at an address: the value (0 when it cannot be parsed) and where the heap ends then. */
  parseAt(address: number, json: Uint8Array): { readonly value: number; readonly end: number };
  /** Address of the parsed input, 0 when it cannot be parsed. */
  readInput(json: Uint8Array): number;
  /** Text of the result set, paid for by the byte; the input 0 is undefined. */
  evaluate(entrypoint: number, input: number, data: number): string;
}

/** What a machine's memory is for, in pages: evaluations, and data. */
export interface Room {
  readonly pages: number;
  readonly dataPages: number;
}

/** What a module may use before it is asked anything, and to parse data: one that loops then must end as well. */
const PREPARATION_FUEL = 2_000_000_000n;
const PREPARATION_FUEL_PER_BYTE = 2_000n;
const PREPARATION_DEPTH = 10_000;
/** What compiling a policy's patterns may take: beyond it they are compiled in each evaluation, at its expense. */
const PATTERNS_FUEL = 200_000_000n;
/** The rule that the toolchain adds where patterns stand in a policy's text. */
const PATTERNS_ENTRYPOINT = 'countersign/builtin/patterns/ready';
const ALIGNMENT = 16;

/**
 * Instantiates a metered module. No builtin outside our own table can be reached. Patterns that stand in the policy's text are
 * compiled before the state is taken that every evaluation begins with: an evaluation finds them ready, and its steps are the same
 * each time.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE; anything else as it comes from WebAssembly
 */
export function startMachine(module: WebAssembly.Module, room: Room, server?: BuiltinServer): Machine {
  const first = instantiate(module, room, server);
  const isReady = readyPatterns(first);
  // One that stopped half way is in no state to begin with.
  const { host, exports, entrypoints } = isReady ? first : instantiate(module, room, server);
  exports.fuel.value = PREPARATION_FUEL;
  const dataStart = Math.ceil(reserve(exports, room.dataPages * PAGE_BYTES) / ALIGNMENT) * ALIGNMENT;
  return {
    ...operate(host, exports, dataStart),
    memoryBytes: room.pages * PAGE_BYTES,
    entrypoints: new Map([...entrypoints].filter(([name]) => name !== PATTERNS_ENTRYPOINT)),
    dataStart,
  };
}

interface Instance {
  readonly host: Host;
  readonly exports: PolicyExports;
  readonly entrypoints: ReadonlyMap<string, number>;
}

function instantiate(module: WebAssembly.Module, room: Room, server: BuiltinServer | undefined): Instance {
  const calls = newCalls(undefined, false);
  const host: Host = { memory: newMemory(room.pages + room.dataPages), server, builtins: new Map(), calls };
  const imports = importsOf(host);
  refuseStrange(module, imports);
  const instance = new WebAssembly.Instance(module, { env: imports });
  const exports = readExports(instance.exports);
  host.exports = exports;
  exports.fuel.value = PREPARATION_FUEL;
  exports.depth.value = PREPARATION_DEPTH;
  bindBuiltins(host, exports);
  return { host, exports, entrypoints: readEntrypoints(host, exports) };
}

/**
 * Takes memory behind all that is in use. The allocator may hand out what compiling patterns gave back, in the midst of what they
 * hold: a state that ends there would be half of one. Such a piece is not given back, and the next is asked for.
 */
function reserve(exports: PolicyExports, bytes: number): number {
  const top = exports.heapGet() >>> 0;
  for (;;) {
    const address = exports.malloc(bytes + ALIGNMENT) >>> 0;
    if (address >= top) return address;
  }
}

/** Has the patterns compiled, if there are any; false where that was too much. */
function readyPatterns({ host, exports, entrypoints }: Instance): boolean {
  const entrypoint = entrypoints.get(PATTERNS_ENTRYPOINT);
  if (entrypoint === undefined) return true;
  exports.fuel.value = PATTERNS_FUEL;
  try {
    ask(exports, { entrypoint, input: 0, data: put(host, exports, Buffer.from('{}'), exports.jsonParse) });
    return true;
  } catch {
    return false; // slower, and nothing else: the evaluations themselves are what is judged by
  }
}

/** Address of the result set of one entrypoint; the input 0 is undefined. */
function ask(
  exports: PolicyExports,
  asked: { readonly entrypoint: number; readonly input: number; readonly data: number },
): number {
  const context = exports.contextNew();
  if (asked.input !== 0) exports.setInput(context, asked.input);
  exports.setData(context, asked.data);
  exports.setEntrypoint(context, asked.entrypoint);
  exports.evaluate(context);
  return exports.result(context);
}

type Operations = Omit<Machine, 'memoryBytes' | 'entrypoints' | 'dataStart'>;

function operate(host: Host, exports: PolicyExports, dataStart: number): Operations {
  const heapStart = exports.heapGet() >>> 0;
  let snapshot = host.memory.bytes().slice(0, dataStart);
  const globals = exports.own.map((global) => ({ global, value: global.value }));
  const restore = (memory: Uint8Array, fuel: bigint, depth: number): void => {
    host.memory.bytes().set(memory);
    for (const { global, value } of globals) global.value = value;
    exports.fuel.value = fuel;
    exports.depth.value = depth;
  };
  return {
    memory: () => host.memory.bytes(),
    keep: (end) => {
      const own = snapshot.subarray(0, dataStart);
      snapshot = host.memory.bytes().slice(0, end);
      snapshot.set(own);
    },
    rewind: (fuel, depth) => restore(snapshot, fuel, depth),
    begin: (begun) => {
      host.calls = begun;
    },
    fuelLeft: () => BigInt(exports.fuel.value),
    depthLeft: () => Number(exports.depth.value),
    heapBytes: () => (exports.heapGet() >>> 0) - heapStart,
    parseAt: (address, json) => {
      const fuel = PREPARATION_FUEL + PREPARATION_FUEL_PER_BYTE * BigInt(json.length);
      restore(snapshot.subarray(0, dataStart), fuel, PREPARATION_DEPTH);
      exports.heapSet(address);
      const value = put(host, exports, json, exports.jsonParse);
      return { value, end: exports.heapGet() >>> 0 };
    },
    readInput: (json) => put(host, exports, json, exports.jsonParse),
    evaluate: (entrypoint, input, data) => takeText(host, exports, ask(exports, { entrypoint, input, data })),
  };
}

/** What a module asks for beyond OPA's interface is refused by name. */
function refuseStrange(module: WebAssembly.Module, offered: object): void {
  for (const { module: from, name } of WebAssembly.Module.imports(module))
    if (from !== 'env' || !Object.hasOwn(offered, name))
      refuse(`it imports ${JSON.stringify(`${from}.${name}`)}, which no policy needs`);
}
