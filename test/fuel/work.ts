// SPDX-License-Identifier: Apache-2.0
// What is counted: the bench's rules over 200 of its objects.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compilePolicy } from '../../engine/policy/index.ts';
import type { RegoProgram } from '../../engine/rego/index.ts';
import { openRegoToolchain } from '../../engine/toolchain/rego.ts';
import { corpusObjects } from '../bench/corpus/write.ts';

const RULES = join(import.meta.dirname, '..', 'bench', 'rules');
export const ENTRYPOINT = 'countersign/entrypoint/conftest';
export const DATA = Buffer.from('{"countersign":{"parameters":{}}}');
export const EXPECTED = join(import.meta.dirname, 'expected.json');

/** One input for each object, as canonical bytes. */
export const inputs = (count = 200): readonly Buffer[] =>
  corpusObjects(count).map((object) => Buffer.from(JSON.stringify(object)));

/** Compiles the bench's rules as one policy. */
export async function compileBenchRules(): Promise<Uint8Array> {
  const toolchain = openRegoToolchain({ directory: resolve('engine/toolchain/built'), deadlineMs: 120_000 });
  const sources = readdirSync(RULES)
    .sort()
    .map((file) => ({ file, text: readFileSync(join(RULES, file), 'utf8') }));
  try {
    const namespaces = { names: ['main'], all: true };
    return (await compilePolicy({ name: 'bench', sources, namespaces }, toolchain)).wasm;
  } finally {
    await toolchain.close();
  }
}

/** Steps of each evaluation, in order. */
export const stepsOf = (program: RegoProgram, bytes: readonly Uint8Array[]): readonly number[] =>
  bytes.map((input) => Number(program.evaluate(ENTRYPOINT, input).fuelUsed));
