// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import {
  type BuiltinServer,
  loadRego,
  type RegoLimits,
  type RegoMoment,
  type RegoProgram,
  type RegoValue,
} from '../../rego/index.ts';
import { loadedData } from '../data/index.ts';
import { conftestRule } from '../metadata.ts';
import { isChosen, type Namespaces } from '../namespaces/index.ts';
import type { Evaluation, Policy } from '../policy.ts';
import type { Entry, Rule } from '../rule.ts';
import { conftestEffect } from '../style.ts';
import type { WasmFile } from './bundle.ts';

/** What is loaded beside a module of somebody else's. */
export interface WasmFacts {
  readonly name: string;
  readonly revision: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly limits?: Partial<RegoLimits>;
  /** Has the builtins that are neither native nor ours. */
  readonly builtins?: BuiltinServer;
  readonly namespaces: Namespaces;
  /** Paths `a/b/c` of rules that the bundle's own Rego answers already. */
  readonly answered: ReadonlySet<string>;
}

/**
 * Loads a module that `opa build -t wasm` made. What it imports is checked as for our own: a builtin that is not served is refused.
 * An entrypoint that is called like a rule (`main/deny`) is one; undefined where it has none besides those answered already.
 * @throws {EngineError} POLICY_MODULE | POLICY_BUILTIN | POLICY_DATA | POLICY_METADATA (native rules, which need their source)
 */
export function loadWasmPolicy(file: WasmFile, facts: WasmFacts): Policy | undefined {
  const { builtins, ...plain } = facts;
  const bytes = Buffer.from(JSON.stringify(facts.data));
  const { limits } = facts;
  const program = loadRego(file.bytes, {
    data: bytes,
    ...(limits === undefined ? {} : { limits }),
    ...(builtins === undefined ? {} : { builtins }),
  });
  const stated = file.entrypoints.length === 0 ? program.entrypoints : file.entrypoints;
  const unknown = stated.find((entrypoint) => !program.entrypoints.includes(entrypoint));
  if (unknown !== undefined)
    throw new EngineError('POLICY_MODULE', `the module has no entrypoint ${JSON.stringify(unknown)}`);
  const entries = [...new Set([...stated, ...program.entrypoints])]
    .sort()
    .flatMap((entrypoint) => entryOf(entrypoint, facts));
  if (!entries.some(({ effect }) => effect !== 'exception')) return undefined;
  const rules = new Map(
    entries
      .filter(({ effect }) => effect !== 'exception')
      .map(({ rule }): [string, Rule] => [rule.code, rule]),
  );
  const data = loadedData(program, { bytes, value: facts.data });
  return {
    get reference() {
      const { name, revision } = facts;
      return { name, revision, digest: data.digest(), sources: program.digest };
    },
    setData: data.setData,
    removeData: data.removeData,
    styles: ['conftest'],
    rules: [...rules.values()],
    parts: { kind: 'module', file, facts: plain },
    evaluate: (_style, input, moment) => {
      const answers = entries.map((entry) => evaluate(program, entry, input, moment));
      return {
        results: answers.flatMap(({ results }) => results),
        failures: answers.flatMap(({ failures }) => failures),
      };
    },
  };
}

function entryOf(entrypoint: string, { namespaces, answered }: WasmFacts): Entry[] {
  if (answered.has(entrypoint)) return [];
  const path = entrypoint.split('/');
  const name = path.at(-1) ?? '';
  const packageName = path.slice(0, -1).join('.');
  if (packageName === 'countersign' || packageName.startsWith('countersign.'))
    throw new EngineError(
      'POLICY_METADATA',
      `native rule ${JSON.stringify(entrypoint)} comes as a module without its source`,
      {
        hint: 'put the Rego of native rules into the bundle',
      },
    );
  const effect = conftestEffect(name);
  if (effect === undefined || !isChosen(namespaces, packageName)) return [];
  const module = {
    file: entrypoint,
    package: packageName,
    rules: [],
    annotations: [],
    imports: [],
    builtins: [],
  };
  return [{ key: entrypoint, path, effect, rule: conftestRule(module, name) }];
}

const isEmpty = (value: RegoValue): boolean => Array.isArray(value) && value.length === 0;

function evaluate(program: RegoProgram, entry: Entry, input: Uint8Array, moment: RegoMoment): Evaluation {
  const { value, failures } = program.evaluate(entry.key, input, moment);
  return { results: value === undefined || isEmpty(value) ? [] : [{ entry, value }], failures };
}
