// SPDX-License-Identifier: Apache-2.0
// The evil policies, compiled as one module, and the inputs for them; shared by their test and the bench.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BuiltinServer } from '../../../../engine/rego/index.ts';
import { openRegoBuiltins } from '../../../../engine/toolchain/builtins.ts';
import { openRegoToolchain } from '../../../../engine/toolchain/rego.ts';

const TEXT = readFileSync(join(import.meta.dirname, 'policies.rego'), 'utf8');
/** Rules without parameters, but for the legitimate one. */
export const EVIL: readonly string[] = [...TEXT.matchAll(/^([a-z0-9_]+) (?:if|:=)/gm)].map(
  ([, name]) => name ?? '',
);
export const LEGITIMATE = 'main/deny';

export const EVIL_DATA = Buffer.from('{"max":10}');
export const EVIL_INPUT = Buffer.from(
  JSON.stringify({
    s: 'y'.repeat(1_000),
    n: 1,
    words: Array.from({ length: 400 }, (_, index) => `word${index}`),
    deep: '['.repeat(20_000),
    items: [{ x: 20, name: 'evil' }],
  }),
);
export const HARMLESS_INPUT = Buffer.from(
  JSON.stringify({
    items: [
      { x: 11, name: 'good' },
      { x: 1, name: 'small' },
      { x: 12, name: 'n0' },
    ],
  }),
);
export const HARMLESS_VALUE = ['11 over 10'];

/** OPA's own code for builtins that neither the module nor a twin of ours has. */
export const openServer = (): BuiltinServer => openRegoBuiltins(resolve('engine/toolchain/built'));

export async function compileEvil(): Promise<Uint8Array> {
  const toolchain = openRegoToolchain({ directory: resolve('engine/toolchain/built'), deadlineMs: 60_000 });
  try {
    const entrypoints = [LEGITIMATE, ...EVIL.map((name) => `main/${name}`)];
    const { wasm } = await toolchain.build([{ file: 'evil.rego', text: TEXT }], { entrypoints });
    return wasm;
  } finally {
    await toolchain.close();
  }
}
