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
const ALIGNMENT = 16;

/**
 * Instantiates a metered module. No builtin outside our own table can be reached.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE; anything else as it comes from WebAssembly
 */
export function startMachine(module: WebAssembly.Module, room: Room, server?: BuiltinServer): Machine {
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
  const entrypoints = readEntrypoints(host, exports);
  const dataStart = Math.ceil((exports.heapGet() >>> 0) / ALIGNMENT) * ALIGNMENT;
  exports.heapSet(dataStart + room.dataPages * PAGE_BYTES);
  return {
    ...operate(host, exports, dataStart),
    memoryBytes: room.pages * PAGE_BYTES,
    entrypoints,
    dataStart,
  };
}

type Operations = Omit<Machine, 'memoryBytes' | 'entrypoints' | 'dataStart'>;

function operate(host: Host, exports: PolicyExports, dataStart: number): Operations {
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
    parseAt: (address, json) => {
      const fuel = PREPARATION_FUEL + PREPARATION_FUEL_PER_BYTE * BigInt(json.length);
      restore(snapshot.subarray(0, dataStart), fuel, PREPARATION_DEPTH);
      exports.heapSet(address);
      const value = put(host, exports, json, exports.jsonParse);
      return { value, end: exports.heapGet() >>> 0 };
    },
    readInput: (json) => put(host, exports, json, exports.jsonParse),
    evaluate: (entrypoint, input, data) => {
      const context = exports.contextNew();
      if (input !== 0) exports.setInput(context, input);
      exports.setData(context, data);
      exports.setEntrypoint(context, entrypoint);
      exports.evaluate(context);
      return takeText(host, exports, exports.result(context));
    },
  };
}

/** What a module asks for beyond OPA's interface is refused by name. */
function refuseStrange(module: WebAssembly.Module, offered: object): void {
  for (const { module: from, name } of WebAssembly.Module.imports(module))
    if (from !== 'env' || !Object.hasOwn(offered, name))
      refuse(`it imports ${JSON.stringify(`${from}.${name}`)}, which no policy needs`);
}
