// SPDX-License-Identifier: Apache-2.0
import type { PolicyReference } from '../decide/decision.ts';
import { EngineError } from '../error.ts';
import {
  type BuiltinFailure,
  type BuiltinServer,
  loadRego,
  meter,
  type RegoLimits,
  type RegoMoment,
  type RegoValue,
} from '../rego/index.ts';
import type { WasmFile } from './bundle/bundle.ts';
import type { WasmFacts } from './bundle/wasm.ts';
import type { CompiledPolicy } from './compile.ts';
import { type ChangedData, isKnown, loadedData } from './data/index.ts';
import { entrypointOf, stylesOf } from './entrypoint.ts';
import type { Entry, Rule, Style } from './rule.ts';

/** Compiled rules with their data, ready to evaluate. */
export interface Policy extends Pick<ChangedData, 'setData' | 'removeData'> {
  /** Names the module and the data of now: another object once the data was changed. */
  readonly reference: PolicyReference;
  readonly styles: readonly Style[];
  readonly rules: readonly Rule[];
  readonly parts: PolicyParts;
  evaluate(style: Style, input: Uint8Array, moment: RegoMoment): Evaluation;
}

/**
 * What a policy was loaded from, as plain values: whoever is given them, such as another thread, loads the same. What `setData`
 * changed since is not in them.
 */
export type PolicyParts =
  | {
      readonly kind: 'compiled';
      readonly compiled: CompiledPolicy;
      readonly facts: Omit<PolicyFacts, 'builtins'>;
    }
  | { readonly kind: 'module'; readonly file: WasmFile; readonly facts: Omit<WasmFacts, 'builtins'> };

/** What all entries of one style said of one input. */
export interface Evaluation {
  readonly results: readonly RawResult[];
  /** Calls of builtins that failed, where the moment is strict: the results are as if those were undefined. */
  readonly failures: readonly BuiltinFailure[];
}

/** What one entry said of one input; entries without a result are left out. */
export interface RawResult {
  readonly entry: Entry;
  readonly value: RegoValue;
}

/** What is loaded beside the module. */
export interface PolicyFacts {
  readonly name: string;
  readonly revision: string;
  /** Rule code to parameters, checked before. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The document under `data`. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly limits?: Partial<RegoLimits>;
  /** Has the builtins that are neither native nor ours. */
  readonly builtins?: BuiltinServer;
}

/**
 * Loads a compiled policy. Its digest covers the module and the data that it evaluates with.
 * @throws {EngineError} POLICY_BUILTIN | POLICY_MODULE | POLICY_DATA for a document where a rule is, which OPA refuses as well
 */
export function loadPolicy(compiled: CompiledPolicy, facts: PolicyFacts): Policy {
  refuseClash(compiled, facts);
  const { builtins: _server, ...plain } = facts;
  const document = { ...facts.data, countersign: { parameters: facts.parameters } };
  const bytes = Buffer.from(JSON.stringify(document));
  const metered = compiled.metered ?? meter(compiled.wasm);
  const program = loadRego(compiled.wasm, {
    data: bytes,
    metered,
    ...(facts.limits === undefined ? {} : { limits: facts.limits }),
    ...(facts.builtins === undefined ? {} : { builtins: facts.builtins }),
  });
  const entries = new Map(compiled.entries.map((entry) => [entry.key, entry]));
  const rules = new Map(
    compiled.entries.filter((entry) => entry.effect !== 'exception').map(({ rule }) => [rule.code, rule]),
  );
  const data = loadedData(program, { bytes, value: document });
  return {
    get reference() {
      const { name, revision } = facts;
      return { name, revision, digest: data.digest(), sources: compiled.sources };
    },
    setData: data.setData,
    removeData: data.removeData,
    styles: stylesOf(compiled.entries),
    rules: [...rules.values()],
    parts: { kind: 'compiled', compiled: { ...compiled, metered }, facts: plain },
    evaluate: (style, input, moment) => {
      const { value, failures } = program.evaluate(entrypointOf(style), input, moment);
      return { results: resultsOf(value, entries), failures };
    },
  };
}

function refuseClash({ paths }: CompiledPolicy, { name, data }: PolicyFacts): void {
  const clash = paths.find((path) => isKnown(data, path.split('/')));
  if (clash === undefined) return;
  throw new EngineError(
    'POLICY_DATA',
    `data has something at ${JSON.stringify(clash)}, where ${JSON.stringify(name)} has a rule`,
    { hint: 'a path below data is that of a rule or of a document, never of both' },
  );
}

function resultsOf(value: RegoValue | undefined, entries: ReadonlyMap<string, Entry>): readonly RawResult[] {
  // The entrypoint is a partial object, so it is always defined; anything else is no answer.
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value))
    throw malformed();
  return Object.entries(value).map(([key, result]) => {
    const entry = entries.get(key);
    if (entry === undefined) throw malformed();
    return { entry, value: result };
  });
}

const malformed = (): EngineError =>
  new EngineError('POLICY_RESULT', 'the policy did not return the results of its rules');
