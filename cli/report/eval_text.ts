// SPDX-License-Identifier: Apache-2.0
import type { RegoEvaluation, RegoRuleTrace } from '../../engine/toolchain/rego.ts';
import { visible } from './text.ts';

/** A query's answers for a reader: `pretty` with variables and two spaces a level, `text` with the value alone, one line each. */
export function evalText({ result }: RegoEvaluation, format: 'pretty' | 'text'): string {
  if (result.length === 0) return format === 'text' ? '' : 'undefined\n';
  return result
    .map(({ expressions, bindings }) => {
      if (format === 'text') return expressions.map(({ value }) => `${rawOf(value)}\n`).join('');
      const variables = Object.entries(bindings ?? {});
      if (variables.length === 0) return expressions.map(({ value }) => `${pretty(value)}\n`).join('');
      return variables.map(([name, value]) => `${name} = ${pretty(value)}\n`).join('');
    })
    .join('');
}

const pretty = (value: unknown): string => JSON.stringify(value, null, 2);

/** A string without quotes, for scripts; on a terminal it must not be obeyed. */
const rawOf = (value: unknown): string =>
  typeof value === 'string' ? visible(value) : JSON.stringify(value);

/** One line a rule body: that it fired, or the place and text of its first expression that was undefined or false. */
export function explanation(rules: readonly RegoRuleTrace[]): string {
  if (rules.length === 0) return 'no rule was evaluated\n';
  return rules.map((rule) => `${lineOf(rule)}\n`).join('');
}

function lineOf({ path, file, line, fired, stopped }: RegoRuleTrace): string {
  if (fired > 0) return `${visible(file)}:${line}:1: ${path} fired${fired === 1 ? '' : ` ${fired} times`}`;
  if (stopped === undefined) return `${visible(file)}:${line}:1: ${path} did not fire`;
  const place = `${visible(file)}:${stopped.line}:${stopped.column}`;
  return `${place}: ${path} (line ${line}) did not fire: undefined or false: ${visible(stopped.text)}`;
}
