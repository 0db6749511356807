// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const MODULE = join(process.cwd(), 'cli/compiled.cjs');

/** Runs a file by `compile`, in a process of its own; says what it prints and whether V8 took bytecode for it. */
function run(file: string, keep: boolean): string {
  const script = `const { compile, keepBytecode } = require(${JSON.stringify(MODULE)});
    const script = compile(${JSON.stringify(file)});
    script.runInThisContext()(require, '', '');
    ${keep ? `keepBytecode(${JSON.stringify(file)}, script);` : ''}
    console.log(script.cachedDataRejected);`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  return stdout + stderr;
}

describe('the bytecode of the program', () => {
  it('is taken for the text it was made from, and for no other of the same length', () => {
    const folder = mkdtempSync(join(tmpdir(), 'countersign-compiled-'));
    try {
      const file = join(folder, 'main.cjs');
      writeFileSync(file, 'function say() { console.log("deny"); }\nsay();\n');
      expect(run(file, true)).toBe('deny\nundefined\n');
      expect(readdirSync(folder)).toHaveLength(2);
      expect(run(file, false)).toBe('deny\nfalse\n');
      writeFileSync(file, 'function say() { console.log("pass"); }\nsay();\n');
      expect(run(file, false)).toBe('pass\nundefined\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
