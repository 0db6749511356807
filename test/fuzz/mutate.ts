// SPDX-License-Identifier: Apache-2.0
import type { Random } from '../bench/corpus/random.ts';
import { pieces } from './pieces.ts';

/** A text with one to four changes to its bytes, lines, tokens or indentation; every eighth has none. */
export function mutated(random: Random, text: string): string {
  let result = text;
  const count = random.chance(0.125) ? 0 : random.pick([1, 1, 1, 1, 2, 2, 3, 4]);
  for (let round = 0; round < count; round++) result = random.pick(MUTATIONS)(random, result);
  return result;
}

type Mutation = (random: Random, text: string) => string;

const BYTES = [
  ' ',
  '\n',
  '\t',
  ':',
  '-',
  '#',
  '"',
  "'",
  '\\',
  ',',
  '[',
  ']',
  '{',
  '}',
  '|',
  '>',
  '&',
  '*',
  '!',
  '%',
  '@',
  '_',
  '.',
  '0',
  'e',
  '~',
  '?',
  '=',
  '+',
  'ü',
  '😀',
  '\u0085',
  '\u2028',
  '\r',
  '\ufeff',
] as const;
const SNIPPETS = [
  ': ',
  ' #',
  '- ',
  '\n',
  '\n---\n',
  '\n...\n',
  '---',
  ' # c',
  '\n\n',
  '  ',
  "''",
  '""',
  '|-\n',
  '\n# c\n',
  '\n  # c\n',
  ' \n',
  '-\n',
  ': |\n',
] as const;

const splice = (text: string, at: number, removed: number, added: string): string =>
  text.slice(0, at) + added + text.slice(at + removed);

function onLine(change: (random: Random, line: string) => string): Mutation {
  return (random, text) => {
    const lines = text.split('\n');
    const at = random.whole(lines.length);
    lines[at] = change(random, lines[at] ?? '');
    return lines.join('\n');
  };
}

const insertByte: Mutation = (random, text) =>
  splice(text, random.whole(text.length + 1), 0, random.pick(BYTES));
const removeByte: Mutation = (random, text) => splice(text, random.whole(text.length + 1), 1, '');
const replaceByte: Mutation = (random, text) =>
  splice(text, random.whole(text.length + 1), 1, random.pick(BYTES));
const insertSnippet: Mutation = (random, text) =>
  splice(text, random.whole(text.length + 1), 0, random.pick(SNIPPETS));
const cut: Mutation = (random, text) => text.slice(0, random.whole(text.length + 1));

const moveLine: Mutation = (random, text) => {
  const lines = text.split('\n');
  const [line = ''] = lines.splice(random.whole(lines.length), 1);
  if (random.chance(0.5)) lines.splice(random.whole(lines.length + 1), 0, line);
  if (random.chance(0.5)) lines.splice(random.whole(lines.length + 1), 0, line);
  return lines.join('\n');
};

const indentLine = onLine((random, line) => `${' '.repeat(1 + random.whole(3))}${line}`);
const outdentLine = onLine((random, line) => line.slice(Math.min(1 + random.whole(3), line.search(/\S|$/))));
const indentRest: Mutation = (random, text) => {
  const lines = text.split('\n');
  const [from, to] = [random.whole(lines.length), random.whole(lines.length)];
  return lines.map((line, at) => (at >= from && at <= to && line !== '' ? `  ${line}` : line)).join('\n');
};
const commentLine = onLine(
  (random, line) => `${line}${random.pick([' # c', '# c', '  #', '\n# c', '\n      # c', ' ', '  '])}`,
);
const otherValue = onLine((random, line) =>
  line.replace(/(?<=: |- )\S.*$/, () => random.pick(pieces.scalars)),
);
const oddValue = onLine((random, line) =>
  line.replace(/(?<=: |- )\S.*$/, () => pieces.scalars[pieces.scalars.length - 1 - random.whole(200)] ?? ''),
);
const otherKey = onLine((random, line) => line.replace(/[^\s-][^:]*(?=:)/, () => random.pick(pieces.keys)));
const noValue = onLine((_, line) => line.replace(/(?<=:|-) \S.*$/, ''));
const otherBlock = onLine((random, line) =>
  line.replace(
    /(?<=: |- )\S.*$/,
    () => `${random.pick(pieces.headers)}\n${' '.repeat(random.whole(9))}${random.pick(pieces.lines)}`,
  ),
);

const MUTATIONS = [
  insertByte,
  removeByte,
  replaceByte,
  insertSnippet,
  cut,
  moveLine,
  indentLine,
  outdentLine,
  indentRest,
  commentLine,
  otherValue,
  oddValue,
  otherKey,
  noValue,
  otherBlock,
  commentLine,
  otherValue,
  otherValue,
  noValue,
] as const satisfies readonly [Mutation, ...Mutation[]];
