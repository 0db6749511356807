// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import { BuiltinError, HOST_BUILTINS, type HostBuiltin } from './builtins.ts';
import { type PolicyExports, readExports } from './exports.ts';
import { cString } from './text.ts';
import { parseValue } from './value.ts';

/** What the module said when it gave up (`opa_abort`), or what our host refused. */
export class Aborted extends Error {}

/** The module has no steps left; thrown by the host for its own part of the work, as the module traps for its. */
export class OutOfFuel extends Error {}

/** One instance of a policy's module with its data. */
export interface Machine {
  readonly fuel: WebAssembly.Global;
  readonly depth: WebAssembly.Global;
  readonly entrypoints: ReadonlyMap<string, number>;
  /** Puts memory and globals back to what they were once the data was loaded, with new budgets. */
  rewind(fuel: bigint, depth: number): void;
  /** Text of the result set, or undefined when the module cannot parse the input. */
  run(entrypoint: number, input: Uint8Array): string | undefined;
}

const FUEL_PER_BYTE = 64n;
const PREPARATION_FUEL = 2n ** 62n;
const PREPARATION_DEPTH = 10_000;

/** The host's side of one instance, filled in once the instance exists. */
interface Host {
  readonly memory: WebAssembly.Memory;
  exports?: PolicyExports;
  readonly builtins: Map<number, { readonly name: string; readonly run: HostBuiltin }>;
}

/**
 * Instantiates a metered module and loads its data. Memory starts at its maximum: OPA keeps the top of its heap in memory, so that
 * a rewound instance would grow again each time. No builtin outside our own table can be reached.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE | POLICY_DATA
 */
export function startMachine(module: WebAssembly.Module, pages: number, data: Uint8Array): Machine {
  const host: Host = {
    memory: new WebAssembly.Memory({ initial: pages, maximum: pages }),
    builtins: new Map(),
  };
  const instance = new WebAssembly.Instance(module, { env: importsOf(host) });
  const exports = readExports(instance.exports);
  host.exports = exports;
  exports.fuel.value = PREPARATION_FUEL;
  exports.depth.value = PREPARATION_DEPTH;
  bindBuiltins(host, exports);
  const entrypoints = new Map(Object.entries(numbersAt(host, exports, exports.entrypoints())));
  const dataAddress = parse(host, exports, data);
  if (dataAddress === 0) throw new EngineError('POLICY_DATA', 'the policy cannot read its data');
  return machineOf(host, exports, entrypoints, dataAddress);
}

function machineOf(
  host: Host,
  exports: PolicyExports,
  entrypoints: ReadonlyMap<string, number>,
  dataAddress: number,
): Machine {
  const snapshot = new Uint8Array(host.memory.buffer).slice(0, exports.heapGet());
  const globals = exports.own.map((global) => global.value);
  const bytes = new Uint8Array(host.memory.buffer);
  return {
    fuel: exports.fuel,
    depth: exports.depth,
    entrypoints,
    rewind: (fuel, depth) => {
      bytes.set(snapshot);
      for (const [index, global] of exports.own.entries()) global.value = globals[index] ?? 0;
      exports.fuel.value = fuel;
      exports.depth.value = depth;
    },
    run: (entrypoint, input) => {
      const inputAddress = parse(host, exports, input);
      if (inputAddress === 0) return undefined;
      const context = exports.contextNew();
      exports.setInput(context, inputAddress);
      exports.setData(context, dataAddress);
      exports.setEntrypoint(context, entrypoint);
      exports.evaluate(context);
      return cString(host.memory, exports.valueDump(exports.result(context)));
    },
  };
}

/** Copies bytes in and parses them; 0 when they cannot be parsed. */
function parse(host: Host, exports: PolicyExports, bytes: Uint8Array): number {
  const address = exports.malloc(bytes.length);
  new Uint8Array(host.memory.buffer, address, bytes.length).set(bytes);
  return exports.valueParse(address, bytes.length);
}

function numbersAt(host: Host, exports: PolicyExports, address: number): Record<string, number> {
  const value = parseValue(cString(host.memory, exports.valueDump(address)));
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(members.map(([name, id]) => [name, Number(id)]));
}

/** The module's own import list decides, not its source text: `with` can hide a name. */
function bindBuiltins(host: Host, exports: PolicyExports): void {
  for (const [name, id] of Object.entries(numbersAt(host, exports, exports.builtins()))) {
    const run = HOST_BUILTINS.get(name);
    if (run === undefined) {
      throw new EngineError('POLICY_BUILTIN', `builtin ${JSON.stringify(name)} is not available`, {
        hint: 'docs/policies.md lists the builtins that are',
      });
    }
    host.builtins.set(id, { name, run });
  }
}

function importsOf(host: Host): Record<string, WebAssembly.Function | WebAssembly.Memory> {
  const builtin = (id: unknown, _context: unknown, ...parameters: unknown[]): number =>
    callBuiltin(host, Number(id), parameters.map(Number));
  return {
    memory: host.memory,
    opa_abort: (address) => {
      throw new Aborted(cString(host.memory, Number(address)));
    },
    opa_println: () => 0,
    opa_builtin0: builtin,
    opa_builtin1: builtin,
    opa_builtin2: builtin,
    opa_builtin3: builtin,
    opa_builtin4: builtin,
  };
}

/** One call out of the module: values go as text, both ways, and are paid for by the byte. */
function callBuiltin(host: Host, id: number, addresses: readonly number[]): number {
  const { exports } = host;
  const found = host.builtins.get(id);
  if (exports === undefined || found === undefined) throw new Aborted(`unknown builtin ${id}`);
  const texts = addresses.map((address) => {
    const dump = exports.valueDump(address);
    const text = cString(host.memory, dump);
    exports.free(dump);
    return text;
  });
  pay(
    exports,
    texts.reduce((sum, text) => sum + text.length, 0),
  );
  const answer = answerOf(found, texts);
  if (answer === undefined) return 0;
  const bytes = Buffer.from(answer);
  pay(exports, bytes.length);
  const address = parse(host, exports, bytes);
  return address === 0 ? abort(`builtin ${found.name} gave an unreadable answer`) : address;
}

function answerOf(
  found: { readonly name: string; readonly run: HostBuiltin },
  texts: readonly string[],
): string | undefined {
  try {
    return found.run(texts);
  } catch (error) {
    if (error instanceof BuiltinError) return abort(`${found.name}: ${error.message}`);
    throw error;
  }
}

function abort(message: string): never {
  throw new Aborted(message);
}

function pay(exports: PolicyExports, bytes: number): void {
  exports.fuel.value = BigInt(exports.fuel.value) - FUEL_PER_BYTE * BigInt(bytes);
  if (BigInt(exports.fuel.value) < 0n) throw new OutOfFuel();
}
