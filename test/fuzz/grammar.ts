// SPDX-License-Identifier: Apache-2.0
import type { Random } from '../bench/corpus/random.ts';
import { pieces } from './pieces.ts';

/** Documents by grammar: mostly valid, with the freedoms that YAML leaves and now and then one that it does not. */
export function grammarDocument(random: Random): string {
  const documents = Array.from({ length: random.chance(0.2) ? 1 + random.whole(3) : 1 }, () => {
    const lines = collection({ random, depth: 0 }, random.chance(0.05) ? random.whole(3) : 0);
    return `${prologue(random)}${lines.join('\n')}${random.pick(['\n', '\n', '\n', '', '\n\n', ' \n', '\n# end', '\n   '])}`;
  });
  return documents.join(random.pick(['---\n', '---\n', '--- # next\n', '\n---\n', '---  \n']));
}

interface Place {
  readonly random: Random;
  readonly depth: number;
}

const prologue = (random: Random): string =>
  random.pick(['', '', '', '---\n', '# first\n', '\n', '--- # first\n', '# first\n---\n', '  # first\n\n']);

function collection(place: Place, column: number): string[] {
  const { random } = place;
  const count = 1 + random.whole(4);
  const isSequence = random.chance(0.35);
  return Array.from({ length: count }, () =>
    isSequence ? item(place, column) : member(place, column),
  ).flatMap((lines) => [...lines, ...noise(random)]);
}

function member({ random, depth }: Place, column: number): string[] {
  const key = `${' '.repeat(column)}${random.pick(pieces.keys)}:`;
  if (depth > 4 || random.chance(0.55)) return scalarLines(random, key, column);
  const isIndentless = random.chance(0.3);
  const inner = column + (isIndentless ? 0 : random.pick([2, 2, 2, 1, 4, 3]));
  const lines = isIndentless
    ? Array.from({ length: 1 + random.whole(3) }, () => item({ random, depth: depth + 1 }, inner)).flat()
    : collection({ random, depth: depth + 1 }, inner);
  return [`${key}${ending(random)}`, ...lines];
}

function item({ random, depth }: Place, column: number): string[] {
  const gap = random.pick([1, 1, 1, 1, 2, 3]);
  const dash = `${' '.repeat(column)}-`;
  if (depth > 4 || random.chance(0.5)) return scalarLines(random, dash, column);
  const inner = column + 1 + gap;
  const lines = collection({ random, depth: depth + 1 }, inner);
  const [first = ''] = lines;
  if (random.chance(0.1)) return [`${dash}${ending(random)}`, ...lines];
  return [`${dash}${' '.repeat(gap)}${first.slice(inner)}`, ...lines.slice(1)];
}

function scalarLines(random: Random, before: string, column: number): string[] {
  if (random.chance(0.15)) return block(random, before, column);
  if (random.chance(0.08)) return [`${before}${ending(random)}`];
  const text = random.chance(0.2) ? flow(random, 0) : random.pick(pieces.scalars);
  if (random.chance(0.05)) return [`${before}${ending(random)}`, `${' '.repeat(column + 2)}${text}`];
  if (random.chance(0.03))
    return [`${before} ${text}`, `${' '.repeat(column + random.whole(3))}${random.pick(pieces.scalars)}`];
  return [`${before}${random.pick([' ', ' ', ' ', ' ', '  '])}${text}${ending(random)}`];
}

function block(random: Random, before: string, column: number): string[] {
  const header = `${before} ${random.pick(pieces.headers)}`;
  const indent = column + random.pick([2, 2, 2, 1, 4]);
  const lines = Array.from({ length: random.whole(5) }, () => {
    const extra = random.pick(['', '', '', '', ' ', '  ', '\t']);
    if (random.chance(0.2)) return ' '.repeat(random.whole(indent + 3));
    return `${' '.repeat(random.chance(0.03) ? random.whole(indent + 1) : indent)}${extra}${random.pick(pieces.lines)}`;
  });
  return [header, ...lines];
}

function flow(random: Random, depth: number): string {
  const gap = random.pick(['', '', '', ' ']);
  const parts = Array.from({ length: random.whole(4) }, () => {
    const value = depth < 3 && random.chance(0.3) ? flow(random, depth + 1) : random.pick(pieces.flowScalars);
    return value;
  });
  const comma = random.pick([', ', ', ', ',', ' , ']);
  if (random.chance(0.5)) return `[${gap}${parts.join(comma)}${gap}]`;
  const members = parts.map(
    (part) => `${random.pick(pieces.keys)}${random.pick([': ', ': ', ':', ' : '])}${part}`,
  );
  return `{${gap}${members.join(comma)}${gap}}`;
}

const ending = (random: Random): string =>
  random
    .pick(['', '', '', '', '', '', ' # why', '  # a: b', ' ', ' #', '#x', '\t'])
    .slice(0, random.chance(0.7) ? 0 : 8);

const noise = (random: Random): string[] =>
  random.chance(0.12)
    ? [`${' '.repeat(random.whole(6))}${random.pick(['# note', '#', '', '', '#\ttab', '# ä: "'])}`]
    : [];
