// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { kubernetesObject } from './object.ts';
import { seededRandom } from './random.ts';
import type { Draft } from './workload.ts';

const SEED = 20_260_101;
const OBJECTS_PER_FILE = 20;
const FILES_PER_FOLDER = 50;

/** What was written. */
export interface Corpus {
  readonly objects: number;
  readonly files: number;
  readonly bytes: number;
}

/** `count` objects, the same ones each time. */
export function corpusObjects(count: number): Draft[] {
  const random = seededRandom(SEED + count);
  return Array.from({ length: count }, (_, index) => kubernetesObject(random, index));
}

/** Writes `count` objects as YAML, 20 documents a file, 50 files a folder, with the comments that people leave. */
export function writeCorpus(directory: string, count: number): Corpus {
  const texts = corpusObjects(count).map(yamlText);
  let bytes = 0;
  let files = 0;
  for (let at = 0; at < texts.length; at += OBJECTS_PER_FILE) {
    const folder = join(directory, `part-${String(Math.floor(files / FILES_PER_FOLDER)).padStart(2, '0')}`);
    mkdirSync(folder, { recursive: true });
    const text = texts.slice(at, at + OBJECTS_PER_FILE).join('---\n');
    writeFileSync(join(folder, `objects-${String(files).padStart(4, '0')}.yaml`), text);
    bytes += Buffer.byteLength(text);
    files += 1;
  }
  return { objects: count, files, bytes };
}

function yamlText(draft: Draft, index: number): string {
  const text = stringify(draft, { lineWidth: 0, aliasDuplicateObjects: false })
    .replace(/^( *)resources:$/m, '$1# as measured under last year’s peak load\n$1resources:')
    .replace(/^( *)env:$/m, '$1# settings that differ by region come from the ConfigMap\n$1env:');
  return `# ${String(draft['kind'])} ${index}: rendered from the chart of its team; do not edit by hand\n${text}`;
}
