// SPDX-License-Identifier: Apache-2.0
import { refuse } from './meter/index.ts';

/** A function of the module: addresses and lengths in, an address out. */
export type Call = (...parameters: number[]) => number;

/** What an OPA module of ABI 1.2 or later exports, and the meter's globals. @see https://www.openpolicyagent.org/docs/wasm */
export interface PolicyExports {
  readonly malloc: Call;
  readonly free: Call;
  readonly heapGet: Call;
  /** Also forgets what was freed below. */
  readonly heapSet: Call;
  readonly jsonParse: Call;
  readonly valueParse: Call;
  readonly valueDump: Call;
  readonly builtins: Call;
  readonly entrypoints: Call;
  readonly contextNew: Call;
  readonly setInput: Call;
  readonly setData: Call;
  readonly setEntrypoint: Call;
  readonly evaluate: Call;
  readonly result: Call;
  readonly fuel: WebAssembly.Global;
  readonly depth: WebAssembly.Global;
  /** The module's own mutable globals: with the memory they are its whole state. */
  readonly own: readonly WebAssembly.Global[];
}

/** An export is called as it is: the parameters and results of this ABI are all i32. */
const isCall = (value: unknown): value is Call => typeof value === 'function';

const ABI = { major: 1, minor: { first: 2, last: 3 } } as const;

/** @throws {EngineError} POLICY_MODULE when it is no policy's module, or one of an ABI that is not known here */
export function readExports(exports: WebAssembly.Exports): PolicyExports {
  const call = (name: string): Call => {
    const found: unknown = exports[name];
    return isCall(found) ? found : refuse(`it exports no function ${JSON.stringify(name)}`);
  };
  const global = (name: string): WebAssembly.Global => {
    const found = exports[name];
    return found instanceof WebAssembly.Global
      ? found
      : refuse(`it exports no global ${JSON.stringify(name)}`);
  };
  const version = (name: string): number => Number(global(name).value);
  const [major, minor] = [version('opa_wasm_abi_version'), version('opa_wasm_abi_minor_version')];
  if (major !== ABI.major || minor < ABI.minor.first || minor > ABI.minor.last)
    refuse(`its ABI is ${major}.${minor}, and only 1.2 and 1.3 are known`);
  return {
    malloc: call('opa_malloc'),
    free: call('opa_free'),
    heapGet: call('opa_heap_ptr_get'),
    heapSet: call('opa_heap_ptr_set'),
    jsonParse: call('opa_json_parse'),
    valueParse: call('opa_value_parse'),
    valueDump: call('opa_value_dump'),
    builtins: call('builtins'),
    entrypoints: call('entrypoints'),
    contextNew: call('opa_eval_ctx_new'),
    setInput: call('opa_eval_ctx_set_input'),
    setData: call('opa_eval_ctx_set_data'),
    setEntrypoint: call('opa_eval_ctx_set_entrypoint'),
    evaluate: call('eval'),
    result: call('opa_eval_ctx_get_result'),
    fuel: global('fuel'),
    depth: global('depth'),
    own: Object.keys(exports)
      .filter((name) => /^mut\d+$/.test(name))
      .map(global),
  };
}
