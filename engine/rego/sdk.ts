// SPDX-License-Identifier: Apache-2.0
import * as sdk from '@open-policy-agent/opa-wasm';
import { refuse } from './meter/index.ts';

const FIRST_MINOR_VERSION = 2;

/**
 * The entrypoints of an instance that is ours and their numbers, as OPA's SDK reads them. Its builtins hang on an import object
 * that only its own `loadPolicy` makes, which is never called. Nor is its `evaluate`: that leaves malformed input undefined without
 * an error, drops the input `0`, `false` and `null`, and returns sets as lists in the order of hashes and integers rounded.
 * @throws {EngineError} POLICY_MODULE
 */
export function readEntrypoints(
  instance: WebAssembly.Instance,
  memory: WebAssembly.Memory,
): ReadonlyMap<string, number> {
  const entrypoints: unknown = Reflect.get(newPolicy(instance, memory), 'entrypoints');
  const members = typeof entrypoints === 'object' && entrypoints !== null ? Object.entries(entrypoints) : [];
  return new Map(members.map(([name, id]) => [name, Number(id)]));
}

/** The SDK's types name an export that its ES module does not have: the class is on its default export only. */
function newPolicy(instance: WebAssembly.Instance, memory: WebAssembly.Memory): object {
  const offered: unknown = Reflect.get(sdk, 'default');
  const found: unknown =
    typeof offered === 'object' && offered !== null ? Reflect.get(offered, 'LoadedPolicy') : undefined;
  if (typeof found !== 'function') return refuse('OPA\'s SDK has no class "LoadedPolicy"');
  const policy: unknown = Reflect.construct(found, [instance, memory, FIRST_MINOR_VERSION]);
  return typeof policy === 'object' && policy !== null ? policy : refuse("OPA's SDK loads nothing");
}
