// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type Document, readDocuments, type Source } from '../../../engine/manifest/index.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';

/** The real reader, as built; one for all tests of a file. */
export const reader = openYamlReader(join(import.meta.dirname, '../../../engine/toolchain/built'));

export const sourceOf = (content: string | Uint8Array, name = 'f.yaml'): Source => ({
  name,
  bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content,
});

export const read = (content: string | Uint8Array): readonly Document[] =>
  readDocuments([sourceOf(content)], reader);

export const textOf = (json: Uint8Array): string => new TextDecoder().decode(json);
