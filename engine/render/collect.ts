// SPDX-License-Identifier: Apache-2.0
import { dirname, join, resolve } from 'node:path';
import { EngineError } from '../error.ts';
import { type Document, type JsonValue, locate, readDocuments, type Source } from '../manifest/index.ts';
import type { YamlReader } from '../toolchain/yaml.ts';
import type { Reading } from './folder.ts';
import type { Part } from './program.ts';
import { KUSTOMIZATIONS } from './recognise.ts';
import { shownPath } from './root.ts';

/** The files of a kustomization and of the folders that it names, and paths at which there is nothing. All paths are absolute. */
export interface Collection {
  readonly files: Map<string, Part>;
  readonly absent: Set<string>;
  readonly folders: Set<string>;
}

export const emptyCollection = (): Collection => ({
  files: new Map(),
  absent: new Set(),
  folders: new Set(),
});

/** What collecting needs. */
export interface Collecting {
  readonly reading: Reading;
  readonly yaml: YamlReader;
}

/**
 * Takes the kustomization of a folder and every file and folder that a string in it names, folder after folder. What is named in other
 * ways Kustomize itself asks for, so nothing here needs to know its fields.
 * @throws {EngineError} RENDER_REMOTE | RENDER_FAILED | INPUT_UNREADABLE | INPUT_TOO_LARGE
 */
export function collect(folder: string, into: Collection, by: Collecting): void {
  if (into.folders.has(folder)) return;
  into.folders.add(folder);
  for (const name of KUSTOMIZATIONS) {
    const path = join(folder, name);
    if (by.reading.kindOf(path) !== 'file') into.absent.add(path);
    else readKustomization({ name: shownPath(path), bytes: take(path, into, by.reading) }, into, by);
  }
}

/** The bytes of a file, which is in the collection from now on. */
export function take(path: string, into: Collection, reading: Reading): Uint8Array {
  const known = into.files.get(path);
  if (known !== undefined) return known.bytes;
  const bytes = reading.file(path);
  into.files.set(path, { path, bytes });
  return bytes;
}

function readKustomization(source: Source, into: Collection, by: Collecting): void {
  const document = documentOf(source, by.yaml);
  if (document === undefined) return;
  for (const { pointer, key, text } of stringsIn(document.value, '', '')) {
    refuseUnsupported(source, document, { pointer, key });
    for (const name of namesIn(text)) follow({ source, document, pointer, key, name }, into, by);
  }
}

/** What is no YAML Kustomize refuses in its own words. */
function documentOf(source: Source, yaml: YamlReader): Document | undefined {
  try {
    return readDocuments([source], yaml)[0];
  } catch (error) {
    if (error instanceof EngineError && error.code.startsWith('INPUT_')) return undefined;
    throw error;
  }
}

interface Text {
  readonly pointer: string;
  /** The member of the kustomization that it stands in. */
  readonly key: string;
  readonly text: string;
}

function* stringsIn(value: JsonValue, pointer: string, key: string): Generator<Text> {
  if (typeof value === 'string') yield { pointer, key, text: value };
  if (typeof value !== 'object' || value === null) return;
  for (const [name, item] of Object.entries(value)) {
    const step = name.replaceAll('~', '~0').replaceAll('/', '~1');
    yield* stringsIn(item, `${pointer}/${step}`, key === '' ? name : key);
  }
}

const NAME_MAX_CHARACTERS = 1_024;

/** What in a string may be a path: all of it, or what stands after the key of a generator (`key=file`). */
function namesIn(text: string): readonly string[] {
  if (text === '' || text.includes('\n') || text.length > NAME_MAX_CHARACTERS) return [];
  const equals = text.indexOf('=');
  return equals < 0 ? [text] : [text, text.slice(equals + 1)];
}

interface Named {
  readonly source: Source;
  readonly document: Document;
  readonly pointer: string;
  readonly key: string;
  readonly name: string;
}

const LOADED = new Set([
  'resources',
  'bases',
  'components',
  'crds',
  'generators',
  'transformers',
  'validators',
  'configurations',
  'openapi',
]);
const REMOTE =
  /^(?:[a-z][a-z0-9+.-]*::?\/?\/?.*@|[a-z][a-z0-9+.-]*:\/\/|git::|git@|[^/\s]+\.[a-z]{2,}\/\S+\/\S+)/i;

function follow({ source, document, pointer, key, name }: Named, into: Collection, by: Collecting): void {
  const path = resolve(dirname(source.name), name);
  const kind = quietly(() => by.reading.kindOf(path));
  if (kind === 'file') take(path, into, by.reading);
  if (kind === 'folder') collect(path, into, by);
  if (kind !== undefined || !LOADED.has(key) || !REMOTE.test(name)) return;
  throw new EngineError('RENDER_REMOTE', `${JSON.stringify(name)} is remote, and nothing is fetched`, {
    location: locate(source, document, pointer),
    hint: 'vendor it: copy it into a folder of the repository, at the version that is meant, and name that folder',
  });
}

/** A string that only looks like a path may lead anywhere; what is really read is asked for once more. */
function quietly<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof EngineError && error.code === 'INPUT_UNREADABLE') return undefined;
    throw error;
  }
}

const CHARTS = new Set(['helmCharts', 'helmChartInflationGenerator', 'helmGlobals']);

function refuseUnsupported(
  source: Source,
  document: Document,
  { pointer, key }: { readonly pointer: string; readonly key: string },
): void {
  if (!CHARTS.has(key)) return;
  throw new EngineError(
    'RENDER_FAILED',
    `${JSON.stringify(key)} is not supported: Kustomize would run helm for it`,
    {
      location: locate(source, document, pointer),
      hint: 'render the chart with countersign render and commit the result as a resource, or check the chart by itself',
    },
  );
}
