// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import {
  type BuiltinServer,
  isRegoObject,
  loadRego,
  type RegoObject,
  type RegoResult,
  type RegoValue,
} from '../../rego/index.ts';
import type { RegoEvalOptions, RegoSource, RegoToolchain } from '../rego.ts';
import type { RegoEvaluation, RegoQueryPart } from './rego_answer.ts';

/** As for OPA's evaluator, which alone can explain. */
export interface ModuleEvalOptions extends Omit<RegoEvalOptions, 'explain'> {
  /** Has the builtins that are neither native nor ours. */
  readonly builtins: BuiltinServer;
}

/**
 * Answers a query as `RegoToolchain.eval` does, on a module that it is compiled to, within the limits of a policy. A number is written
 * by its value, `1.0` as `1`; several answers may come in another order; what rules print is not kept.
 * @throws {EngineError} as `eval` | POLICY_LIMIT | POLICY_RESULT
 */
export async function evaluateOnModule(
  sources: readonly RegoSource[],
  toolchain: RegoToolchain,
  options: ModuleEvalOptions,
): Promise<RegoEvaluation> {
  const { wasm, parts } = await toolchain.evalModule(sources, options);
  const { data, builtins, input, time, strictBuiltinErrors } = options;
  const program = loadRego(wasm, { data: Buffer.from(JSON.stringify(data ?? {})), builtins });
  const found = program.evaluate('eval', input === undefined ? undefined : Buffer.from(input), {
    time: time ?? new Date(0),
    isStrict: strictBuiltinErrors ?? false,
  });
  refuseFailure(found);
  if (!Array.isArray(found.value)) throw new EngineError('POLICY_RESULT', 'the query returned no answers');
  const answers: readonly RegoValue[] = found.value;
  return { result: answers.map((answer) => answerOf(answer, parts)), printed: '', rules: [] };
}

function refuseFailure({ failures: [failure] }: RegoResult): void {
  if (failure === undefined) return;
  const { code, message, location } = failure;
  const problem = { code, message, ...(location === undefined ? {} : { location }) };
  throw new EngineError('POLICY_EVALUATION', '1 problem in the policy', { problems: [problem] });
}

/** Values that the program has no better place for come as further variables; see `eval_module.go`. */
function answerOf(answer: RegoValue, parts: readonly RegoQueryPart[]): RegoEvaluation['result'][number] {
  if (!isRegoObject(answer)) throw new EngineError('POLICY_RESULT', 'an answer of the query is no object');
  const captured = new Set(parts.map((part) => part.captured));
  return {
    expressions: parts.map(({ text, location, captured: name }) => ({
      value: name === undefined ? 'true' : jsonText(answer[name] ?? null, ''),
      text,
      location,
    })),
    bindings: Object.fromEntries(
      Object.entries(answer)
        .filter(([name]) => !captured.has(name))
        .map(([name, value]) => [name, jsonText(value, '')]),
    ),
  };
}

/** JSON text as the toolchain lays it out: two spaces a level, keys in order of their bytes, a key that is no string as its JSON. */
function jsonText(value: RegoValue, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items: readonly RegoValue[] = value;
    return enclosed(
      '[',
      items.map((item) => jsonText(item, inner)),
      { indent, close: ']' },
    );
  }
  if (value instanceof Map || isRegoObject(value)) {
    const members = membersOf(value).map(([key, item]) => `${stringText(key)}: ${jsonText(item, inner)}`);
    return enclosed('{', members, { indent, close: '}' });
  }
  return typeof value === 'string' ? stringText(value) : String(value);
}

function enclosed(
  open: string,
  items: readonly string[],
  { indent, close }: { readonly indent: string; readonly close: string },
): string {
  if (items.length === 0) return `${open}${close}`;
  return `${open}\n${items.map((item) => `${indent}  ${item}`).join(',\n')}\n${indent}${close}`;
}

function membersOf(
  value: RegoObject | ReadonlyMap<RegoValue, RegoValue>,
): readonly (readonly [string, RegoValue])[] {
  const members = isRegoObject(value)
    ? Object.entries(value)
    : [...value].map(([key, item]): [string, RegoValue] => [keyOf(key), item]);
  return members.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

const keyOf = (key: RegoValue): string =>
  typeof key === 'string'
    ? key
    : jsonText(key, '').replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, text) => text ?? '');

/** Two characters that Go escapes and JavaScript does not. */
const stringText = (text: string): string =>
  JSON.stringify(text).replace(/[\u2028\u2029]/g, (character) =>
    character === '\u2028' ? '\\u2028' : '\\u2029',
  );
