// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Random, seededRandom } from '../bench/corpus/random.ts';
import { corpusObjects } from '../bench/corpus/write.ts';
import { grammarDocument } from './grammar.ts';
import { mutated } from './mutate.ts';
import { pieces } from './pieces.ts';

/** Where a generated document comes from. */
export type Origin = 'grammar' | 'manifest' | 'trap';

export interface Generated {
  readonly origin: Origin;
  readonly text: string;
}

const ROOT = join(import.meta.dirname, '../..');
const MANIFEST_MAX_LENGTH = 3000;
const GENERATED_OBJECTS = 60;

/** `count` documents, the same ones for the same seed: two fifths by grammar, two fifths real ones changed, the rest traps. */
export function* documents(seed: number, count: number): Generator<Generated> {
  const random = seededRandom(seed);
  const manifests = nonEmpty(realManifests());
  const traps = nonEmpty(corpusTraps());
  for (let index = 0; index < count; index++) {
    const turn = index % 5;
    if (turn < 2) yield { origin: 'grammar', text: grammarDocument(random) };
    else if (turn < 4) yield { origin: 'manifest', text: mutated(random, random.pick(manifests)) };
    else yield { origin: 'trap', text: random.pick([trap, placed, soup])(random, traps) };
  }
}

const trap = (random: Random, traps: readonly [string, ...string[]]): string =>
  mutated(random, random.pick(traps));

/** Tokens in any order behind a beginning that may be one of a document. */
function soup(random: Random): string {
  const tokens = Array.from({ length: 1 + random.whole(9) }, () => random.pick(pieces.tokens));
  const beginning = random.pick(['', '', 'a: ', 'a:\n  ', '- ', 'a: b\n', '- a\n', 'a: |\n  ', 'a:\n- ']);
  return beginning + tokens.join('');
}

function nonEmpty(texts: readonly string[]): readonly [string, ...string[]] {
  const [first, ...more] = texts;
  if (first === undefined) throw new Error('there is nothing to make documents from');
  return [first, ...more];
}

/** An odd scalar in each place that a scalar can have. */
function placed(random: Random): string {
  const scalar = pieces.scalars[pieces.scalars.length - 1 - random.whole(200)] ?? '';
  const frame = random.pick([
    'a: $',
    '- $',
    'a:\n  $',
    '-\n  $',
    'a: [$]',
    'a: {b: $}',
    '$: a',
    'a: {$: b}',
    'a: [b, $, c]',
    '- - $',
    'a: $\nb: $',
    'a: $ # c',
    '- $: b',
    '$',
    'a: |\n  $',
    'a: >\n  $\n  b',
    'a: "$"',
    "a: '$'",
    'a: b $',
    'a: b\n  $',
    'a: b\n$',
    'a: $:',
    '# $\na: b',
    'a: b # $',
    '--- $\na: b',
    'a: |$\n  b',
    '$$: a',
  ]);
  return `${frame.replaceAll('$', () => scalar)}${random.pick(['\n', '\n', ''])}`;
}

function corpusTraps(): string[] {
  const folder = join(ROOT, 'test/engine/manifest/corpus');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.in'))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .filter((text) => text.length <= MANIFEST_MAX_LENGTH);
}

/** What this repository has of manifests, document by document, and what the benchmark makes. */
function realManifests(): string[] {
  const written = ['examples', 'policies', 'test/cluster'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.ya?ml$/.test(name) && !name.includes('node_modules'))
      .sort()
      .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
  );
  const generated = corpusObjects(GENERATED_OBJECTS).map((draft) => stringify(draft, { lineWidth: 0 }));
  const parts = written.flatMap((text) => text.split(/^---\n/m)).filter((text) => text.trim() !== '');
  return [...parts, ...generated].filter((text) => text.length <= MANIFEST_MAX_LENGTH);
}
