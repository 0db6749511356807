// SPDX-License-Identifier: Apache-2.0
import { answer, type Bound, BuiltinBroken, type BuiltinServer, bind, type Calls } from './builtins/index.ts';
import type { Call, PolicyExports } from './exports.ts';
import { endOf, type PolicyMemory, textAt } from './memory.ts';
import { readValue } from './value.ts';

/** What the module said when it gave up (`opa_abort`). */
export class Aborted extends Error {}

/** The module has no steps left; thrown by the host for its own part of the work, as the module traps for its. */
export class OutOfFuel extends Error {}

/** What the host's share of a builtin call costs, for every byte that goes in or out: fuel cannot see JavaScript. */
const FUEL_PER_BYTE = 64;
/** And for the call itself: about 2 us of JavaScript, as much as that many steps take. */
const FUEL_PER_CALL = 6_000;

/** The host's side of one instance; `exports` and `builtins` are filled in once the instance exists. */
export interface Host {
  readonly memory: PolicyMemory;
  readonly server: BuiltinServer | undefined;
  exports?: PolicyExports;
  readonly builtins: Map<number, Bound>;
  /** Of the evaluation that runs. */
  calls: Calls;
}

/** All that a policy's module sees of the world. */
export function importsOf(host: Host): Record<string, WebAssembly.Function | WebAssembly.Memory> {
  const builtin = (id: unknown, _context: unknown, ...addresses: unknown[]): number =>
    callBuiltin(host, Number(id), addresses.map(addressOf));
  return {
    memory: host.memory.object,
    opa_abort: (address) => {
      throw new Aborted(textAt(host.memory.bytes(), addressOf(address)));
    },
    opa_println: () => 0,
    opa_builtin0: builtin,
    opa_builtin1: builtin,
    opa_builtin2: builtin,
    opa_builtin3: builtin,
    opa_builtin4: builtin,
  };
}

/** WebAssembly hands addresses over as signed. */
const addressOf = (value: unknown): number => Number(value) >>> 0;

/**
 * Binds what the module itself says it imports, not what its source text shows: `with` can hide a name. The server starts when the
 * module imports what only it has.
 * @throws {EngineError} POLICY_BUILTIN naming the first that is not available; what the server throws
 */
export function bindBuiltins(host: Host, exports: PolicyExports): void {
  const address = addressOf(exports.valueDump(exports.builtins()));
  const names = readValue(textAt(host.memory.bytes(), address));
  for (const [name, id] of Object.entries(names ?? {}))
    host.builtins.set(Number(id), bind(name, host.server));
  if ([...host.builtins.values()].some((bound) => bound.kind === 'served')) host.server?.prepare();
}

/** The entrypoints that the module names (`a/b/c`) and their numbers. */
export function readEntrypoints(host: Host, exports: PolicyExports): ReadonlyMap<string, number> {
  const named = readValue(takeText(host, exports, exports.entrypoints()));
  return new Map(Object.entries(named ?? {}).map(([name, id]) => [name, Number(id)]));
}

/** Copies bytes in and parses them with `parse`; 0 when they cannot be parsed. */
export function put(host: Host, exports: PolicyExports, bytes: Uint8Array, parse: Call): number {
  const address = addressOf(exports.malloc(bytes.length));
  host.memory.bytes().set(bytes, address);
  return addressOf(parse(address, bytes.length));
}

/**
 * One call out of the module: values go as text, both ways, and are paid for by the byte before more is done with them. 0 is
 * undefined.
 */
function callBuiltin(host: Host, id: number, addresses: readonly number[]): number {
  const { exports } = host;
  const bound = host.builtins.get(id);
  if (exports === undefined || bound === undefined) throw new Aborted(`unknown builtin ${id}`);
  pay(exports, FUEL_PER_CALL);
  if (bound.kind === 'error' && !host.calls.isStrict) return 0;
  const dumps = addresses.map((address) => addressOf(exports.valueDump(address)));
  const found = answer(
    bound,
    dumps.map((dump) => paidText(host, exports, dump)),
    host,
  );
  for (const dump of dumps) exports.free(dump);
  if (found === undefined) return 0;
  pay(exports, FUEL_PER_BYTE * found.length);
  const address = put(host, exports, found, exports.valueParse);
  if (address === 0) throw new BuiltinBroken(`${bound.name}: its answer is unreadable`);
  return address;
}

/** The text of a value, paid for before it is read. */
export function takeText(host: Host, exports: PolicyExports, value: number): string {
  const bytes = paidText(host, exports, addressOf(exports.valueDump(value)));
  return textAt(bytes, 0, bytes.length);
}

function paidText(host: Host, exports: PolicyExports, dump: number): Uint8Array {
  const bytes = host.memory.bytes();
  const end = endOf(bytes, dump);
  pay(exports, FUEL_PER_BYTE * (end - dump));
  return bytes.subarray(dump, end);
}

function pay(exports: PolicyExports, steps: number): void {
  const left = BigInt(exports.fuel.value) - BigInt(steps);
  exports.fuel.value = left;
  if (left < 0n) throw new OutOfFuel();
}
