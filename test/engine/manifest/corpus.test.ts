// SPDX-License-Identifier: Apache-2.0
// corpus/*.in are files that readers of YAML disagree on; corpus/*.json is what kubectl's own packages make of each. They were
// recorded, not written: `COUNTERSIGN_RECORD=1 go test -count=1 -run Record .` in engine/toolchain/programs/yaml, which runs
// k8s.io/apimachinery's YAMLOrJSONDecoder, sigs.k8s.io/yaml and sigs.k8s.io/json as a native program.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { readDocuments } from '../../../engine/manifest/index.ts';
import { thrownBy } from '../../expect.ts';
import { reader, sourceOf, textOf } from './reader.ts';

const CORPUS = join(import.meta.dirname, 'corpus');

interface Recorded {
  readonly documents: readonly string[];
  readonly error?: string;
}

/** What we refuse: `code line:column`. A file is either here or equal to what kubectl reads. */
const REFUSED: Readonly<Record<string, string>> = {
  'anchor-itself': 'INPUT_SYNTAX 1:1',
  'anchor-unknown': 'INPUT_SYNTAX 1:1',
  'beyond-int64-json': 'INPUT_NUMBER 1:7',
  'beyond-int64-negative': 'INPUT_NUMBER 1:4',
  'beyond-int64': 'INPUT_NUMBER 1:4',
  'beyond-uint64': 'INPUT_NUMBER 1:4',
  'block-tab': 'INPUT_SYNTAX 2:4',
  'colliding-bool-keys': 'INPUT_DUPLICATE_KEY 2:1',
  'colliding-keys': 'INPUT_DUPLICATE_KEY 2:1',
  'complex-key': 'INPUT_KEY 1:3',
  'control-raw': 'INPUT_SYNTAX 1:4',
  'cr-only-separator': 'INPUT_SYNTAX 1:1',
  'directive-1-2': 'INPUT_SYNTAX 1:1',
  'directive-tag': 'INPUT_SYNTAX 1:1',
  directive: 'INPUT_SYNTAX 1:1',
  'document-end-content': 'INPUT_SYNTAX 3:1',
  'document-end-garbage': 'INPUT_SYNTAX 3:1',
  'duplicate-deep': 'INPUT_DUPLICATE_KEY 2:21',
  duplicate: 'INPUT_DUPLICATE_KEY 3:1',
  'escape-solidus': 'INPUT_SYNTAX 1:1',
  'indent-wrong': 'INPUT_SYNTAX 2:2',
  'infinity-negative': 'INPUT_NUMBER 1:4',
  infinity: 'INPUT_NUMBER 1:4',
  'json-duplicate': 'INPUT_DUPLICATE_KEY 1:24',
  'json-then-text': 'INPUT_SYNTAX 1:10',
  'json-then-two': 'INPUT_SYNTAX 3:2',
  'large-float': 'INPUT_NUMBER 1:4',
  'long-key': 'INPUT_SYNTAX 1:1',
  'merge-overridden': 'INPUT_DUPLICATE_KEY 2:1',
  'merge-overrides': 'INPUT_DUPLICATE_KEY 2:1',
  'merge-wrong': 'INPUT_SYNTAX 1:1',
  nan: 'INPUT_NUMBER 1:4',
  'nul-json': 'INPUT_ENCODING 1:9',
  'nul-yaml': 'INPUT_ENCODING 2:6',
  'null-key': 'INPUT_KEY 1:1',
  'object-bool-key': 'INPUT_KEY 3:1',
  'object-float-key': 'INPUT_KEY 6:10',
  'object-map-key': 'INPUT_KEY 4:5',
  'object-null-key': 'INPUT_KEY 3:1',
  'object-number-key': 'INPUT_KEY 5:3',
  'separator-block': 'INPUT_SYNTAX 1:1',
  'separator-content': 'INPUT_SYNTAX 1:1',
  'separator-four': 'INPUT_SYNTAX 2:1',
  'separator-in-quotes': 'INPUT_SYNTAX 2:1',
  'separator-scalar': 'INPUT_SYNTAX 2:1',
  'separators-unicode': 'INPUT_SYNTAX 3:1',
  'surrogate-yaml': 'INPUT_ENCODING 2:5',
  'surrogates-json': 'INPUT_ENCODING 1:32',
  'surrogates-yaml': 'INPUT_SYNTAX 1:5',
  'tab-indent': 'INPUT_SYNTAX 2:2',
  'tag-wrong-binary': 'INPUT_SYNTAX 1:1',
  'tag-wrong-int': 'INPUT_SYNTAX 1:1',
  template: 'INPUT_SYNTAX 1:2',
  'too-large-json': 'INPUT_NUMBER 1:7',
  unclosed: 'INPUT_SYNTAX 1:1',
};

const names = readdirSync(CORPUS)
  .filter((name) => name.endsWith('.in'))
  .map((name) => name.slice(0, -'.in'.length))
  .sort();

const contentOf = (name: string): Uint8Array => readFileSync(join(CORPUS, `${name}.in`));
const recordOf = (name: string): Recorded => JSON.parse(readFileSync(join(CORPUS, `${name}.json`), 'utf8'));

function verdictOf(name: string): string {
  const error = thrownBy(() => readDocuments([sourceOf(contentOf(name), name)], reader));
  if (!(error instanceof EngineError)) throw error;
  return `${error.code} ${error.location?.line}:${error.location?.column}`;
}

describe('the corpus', () => {
  it('is a closed world', () => {
    const files = readdirSync(CORPUS).filter((name) => !name.startsWith('.'));
    expect(files.sort()).toEqual(names.flatMap((name) => [`${name}.in`, `${name}.json`]).sort());
    expect(Object.keys(REFUSED).filter((name) => !names.includes(name))).toEqual([]);
  });

  it.each(names.filter((name) => !Object.hasOwn(REFUSED, name)))('reads %s as kubectl does', (name) => {
    const sections = reader.read(contentOf(name), name);
    expect(sections.map(({ json }) => textOf(json))).toEqual(recordOf(name).documents);
    expect(recordOf(name).error).toBeUndefined();
  });

  it.each(Object.entries(REFUSED))('refuses %s: %s', (name, verdict) => {
    expect(verdictOf(name)).toBe(verdict);
  });
});
