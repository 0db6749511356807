// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { EngineError } from '../error.ts';
import type { RegoSchema } from './rego.ts';

/**
 * Reads JSON Schemas as `opa check --schema` does: one file is the schema of `input`; of a folder each `.json` is called by its path,
 * `DIR/k8s/pod.json` is `schema.k8s.pod`.
 * @throws {EngineError} POLICY_UNREADABLE: not there, no JSON, or no schema in the folder
 */
export function readSchemas(path: string): readonly RegoSchema[] {
  if (!attempt(path, () => statSync(path)).isDirectory()) return [readSchema(path, [])];
  const files = attempt(path, () => readdirSync(path, { recursive: true, encoding: 'utf8' }))
    .map((name) => join(path, name))
    .filter((file) => file.endsWith('.json') && statSync(file).isFile())
    .sort();
  if (files.length === 0)
    throw new EngineError('POLICY_UNREADABLE', `no .json file in ${JSON.stringify(path)}`, {
      hint: 'name a JSON Schema, or a folder of them',
    });
  return files.map((file) =>
    readSchema(
      file,
      relative(path, file)
        .replace(/\.json$/, '')
        .split(sep),
    ),
  );
}

function readSchema(file: string, path: readonly string[]): RegoSchema {
  const text = attempt(file, () => readFileSync(file, 'utf8'));
  try {
    return { file, path, schema: JSON.parse(text) };
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `the schema ${JSON.stringify(file)} is not JSON`, {
      cause,
      hint: 'schemas are read as JSON',
    });
  }
}

function attempt<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw new EngineError('POLICY_UNREADABLE', `cannot read ${JSON.stringify(path)}`, {
      cause,
      hint: 'check the path given to --schema',
    });
  }
}
