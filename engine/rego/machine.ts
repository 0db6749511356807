// SPDX-License-Identifier: Apache-2.0
import { readExports } from './exports.ts';
import { bindBuiltins, type Host, importsOf, put } from './host.ts';
import { newMemory, textAt } from './memory.ts';
import { loadData } from './sdk.ts';

/** One instance of a policy's module with its data. */
export interface Machine {
  readonly memoryBytes: number;
  readonly entrypoints: ReadonlyMap<string, number>;
  /** Puts memory and globals back to what they were once the data was loaded, with new budgets. */
  rewind(fuel: bigint, depth: number): void;
  /** Below zero when the budget is spent; it stays so until the next rewind. */
  fuelLeft(): bigint;
  depthLeft(): number;
  /** What the evaluation since the last rewind took. */
  heapBytes(): number;
  /** Address of the parsed input, 0 when it cannot be parsed. */
  readInput(json: Uint8Array): number;
  /** Text of the result set. */
  evaluate(entrypoint: number, input: number): string;
}

const PREPARATION_FUEL = 2n ** 62n;
const PREPARATION_DEPTH = 10_000;

/**
 * Instantiates a metered module and loads its data, once. No builtin outside our own table can be reached.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE | POLICY_DATA; anything else as it comes from WebAssembly
 */
export function startMachine(module: WebAssembly.Module, pages: number, data: Uint8Array): Machine {
  const host: Host = { memory: newMemory(pages), builtins: new Map() };
  const instance = new WebAssembly.Instance(module, { env: importsOf(host) });
  const exports = readExports(instance.exports);
  host.exports = exports;
  exports.fuel.value = PREPARATION_FUEL;
  exports.depth.value = PREPARATION_DEPTH;
  bindBuiltins(host, exports);
  const { dataAddress, entrypoints } = loadData(instance, host.memory.object, data);
  const snapshot = host.memory.bytes().slice(0, exports.heapGet() >>> 0);
  const globals = exports.own.map((global) => ({ global, value: global.value }));
  return {
    memoryBytes: host.memory.object.buffer.byteLength,
    entrypoints,
    rewind: (fuel, depth) => {
      host.memory.bytes().set(snapshot);
      for (const { global, value } of globals) global.value = value;
      exports.fuel.value = fuel;
      exports.depth.value = depth;
    },
    fuelLeft: () => BigInt(exports.fuel.value),
    depthLeft: () => Number(exports.depth.value),
    heapBytes: () => (exports.heapGet() >>> 0) - snapshot.length,
    readInput: (json) => put(host, exports, json, exports.jsonParse),
    evaluate: (entrypoint, input) => {
      const context = exports.contextNew();
      exports.setInput(context, input);
      exports.setData(context, dataAddress);
      exports.setEntrypoint(context, entrypoint);
      exports.evaluate(context);
      return textAt(host.memory.bytes(), exports.valueDump(exports.result(context)) >>> 0);
    },
  };
}
