// SPDX-License-Identifier: Apache-2.0
import type { RegoEvaluation, RegoRuleTrace } from '../../engine/toolchain/rego.ts';
import { visible } from './text.ts';

/** A query's answers for a reader: `pretty` with variables and two spaces a level, `text` with the value alone, one line each. */
export function evalText({ result }: RegoEvaluation, format: 'pretty' | 'text'): string {
  if (result.length === 0) return format === 'text' ? '' : 'undefined\n';
  return result
    .flatMap(({ expressions, bindings }) => {
      if (format === 'text') return expressions.map(({ value }) => rawOf(value));
      const variables = Object.entries(bindings ?? {});
      if (variables.length === 0) return expressions.map(({ value }) => value);
      return variables.map(([name, value]) => `${name} = ${value}`);
    })
    .map((line) => `${visible(line)}\n`)
    .join('');
}

/** A string without quotes, for scripts; anything else on one line: what is no string in JSON text has spaces of layout only. */
function rawOf(value: string): string {
  if (value.startsWith('"')) return JSON.parse(value);
  return value.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, text: string | undefined) => text ?? '');
}

/** As `opa eval` prints it: no `result` where the query is undefined. `explanation` is beside it where it was asked for. */
export function evalJson({ result, rules }: RegoEvaluation, isExplained: boolean): string {
  const answers = result.map(({ expressions, bindings }) =>
    objectText([
      [
        'expressions',
        arrayText(
          expressions.map(({ value, text, location }) =>
            objectText([
              ['value', value],
              ['text', JSON.stringify(text)],
              ['location', JSON.stringify(location, null, 2)],
            ]),
          ),
        ),
      ],
      ...(bindings === undefined ? [] : [['bindings', objectText(Object.entries(bindings))] as const]),
    ]),
  );
  return `${objectText([
    ...(result.length === 0 ? [] : [['result', arrayText(answers)] as const]),
    ...(isExplained ? [['explanation', JSON.stringify(rules, null, 2)] as const] : []),
  ])}\n`;
}

/** JSON text has line feeds in its layout only. */
const shifted = (json: string): string => `  ${json.replaceAll('\n', '\n  ')}`;

const arrayText = (items: readonly string[]): string =>
  items.length === 0 ? '[]' : `[\n${items.map(shifted).join(',\n')}\n]`;

const objectText = (members: readonly (readonly [name: string, json: string])[]): string =>
  members.length === 0
    ? '{}'
    : `{\n${members.map(([name, json]) => shifted(`${JSON.stringify(name)}: ${json}`)).join(',\n')}\n}`;

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
