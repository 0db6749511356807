// SPDX-License-Identifier: Apache-2.0
import * as sdk from '@open-policy-agent/opa-wasm';
import { EngineError } from '../error.ts';
import { refuse } from './meter/index.ts';

/** What a module holds once its data is loaded: where the data is, and its entrypoints' numbers. */
export interface Loaded {
  readonly dataAddress: number;
  readonly entrypoints: ReadonlyMap<string, number>;
}

const FIRST_MINOR_VERSION = 2;

/**
 * Loads data with OPA's SDK into an instance that is ours. The SDK's builtins hang on an import object that only its own
 * `loadPolicy` makes, which is never called. Nor is its `evaluate`: that leaves malformed input undefined without an error,
 * drops the input `0`, `false` and `null`, and returns sets as lists in the order of hashes and integers rounded.
 * @throws {EngineError} POLICY_DATA when the module cannot parse the data | POLICY_MODULE
 */
export function loadData(
  instance: WebAssembly.Instance,
  memory: WebAssembly.Memory,
  data: Uint8Array,
): Loaded {
  const policy = newPolicy(instance, memory);
  try {
    call(policy, 'setData', Uint8Array.from(data).buffer);
  } catch (cause) {
    if (typeof cause !== 'string') throw cause;
    throw new EngineError('POLICY_DATA', 'the policy cannot read its data: it is no JSON', { cause });
  }
  const entrypoints: unknown = Reflect.get(policy, 'entrypoints');
  const members = typeof entrypoints === 'object' && entrypoints !== null ? Object.entries(entrypoints) : [];
  return {
    dataAddress: Number(Reflect.get(policy, 'dataAddr')),
    entrypoints: new Map(members.map(([name, id]) => [name, Number(id)])),
  };
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

function call(target: object, name: string, parameter: unknown): void {
  const method: unknown = Reflect.get(target, name);
  if (typeof method !== 'function') throw new TypeError(`OPA's SDK has no method ${JSON.stringify(name)}`);
  Reflect.apply(method, target, [parameter]);
}
