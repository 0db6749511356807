// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { knownProgram } from '../../../engine/toolchain/program.ts';
import { USUAL_BUDGET } from '../../../engine/toolchain/rego/tiering.ts';
import { openRegoToolchain } from '../../../engine/toolchain/rego.ts';

const TOOLCHAIN = join(import.meta.dirname, '../../../engine/toolchain');
const BUILT = join(TOOLCHAIN, 'built');
const folder = mkdtempSync(join(tmpdir(), 'countersign-toolchain-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SOURCE = [{ file: 'a.rego', text: 'package a\n\np := 1' }];
const ENDLESS = [
  {
    file: 'a_test.rego',
    text: 'package a_test\n\nn := numbers.range(1, 20000)\n\ntest_x if count([1 | some a in n; some b in n; a * b == 7]) > 1',
  },
];

async function errorOf(request: Promise<unknown>): Promise<unknown> {
  const error = await request.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(EngineError);
  return error;
}

describe('the thread of the program', () => {
  it('leaves other modules the budget that V8 gives them', () => {
    const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
    expect(options).toContain(`default: --wasm-tiering-budget=${USUAL_BUDGET}\n`);
  });

  it('ends what passes its deadline and answers what is asked next', async () => {
    const toolchain = openRegoToolchain({ directory: BUILT, deadlineMs: 60_000 });
    const endless = errorOf(toolchain.test(ENDLESS, { deadlineMs: 300 }));
    const next = toolchain.parse(SOURCE);
    expect(await endless).toMatchObject({
      code: 'POLICY_DEADLINE',
      message: 'the policy was not done after 300 ms',
      hint: 'a test or the compiler runs for too long: look for rules that multiply large collections',
    });
    expect(await next).toHaveLength(1);
    await toolchain.close();
  });

  it('answers requests that overlap, each with its own', async () => {
    const toolchain = openRegoToolchain({ directory: BUILT, deadlineMs: 60_000 });
    const names = ['a', 'b', 'c', 'd'];
    const answers = names.map((name) => toolchain.parse([{ file: name, text: `package ${name}` }]));
    expect((await Promise.all(answers)).flat().map((module) => module.package)).toEqual(names);
    await toolchain.close();
    expect(await toolchain.parse(SOURCE)).toHaveLength(1);
    await toolchain.close();
  });

  it('starts with the module of the one before it, which is read, checked and compiled once while anybody holds it', async () => {
    const own = mkdtempSync(join(folder, 'own-'));
    for (const name of ['rego.json', 'rego.wasm.zst']) cpSync(join(BUILT, name), join(own, name));
    const toolchain = openRegoToolchain({ directory: own, deadlineMs: 60_000 });
    await toolchain.parse(SOURCE);
    const module = knownProgram(own, 'rego');
    expect(module).toBeDefined();
    rmSync(own, { recursive: true });
    expect(await errorOf(toolchain.test(ENDLESS, { deadlineMs: 300 }))).toMatchObject({
      code: 'POLICY_DEADLINE',
    });
    expect(await toolchain.parse(SOURCE)).toHaveLength(1);
    await toolchain.close();
    const next = openRegoToolchain({ directory: own, deadlineMs: 60_000 });
    expect(await next.parse(SOURCE)).toHaveLength(1);
    await next.close();
    expect(knownProgram(own, 'rego')).toBe(module);
  });

  it('refuses a program that was changed, before it runs', async () => {
    cpSync(join(BUILT, 'yaml.wasm.zst'), join(folder, 'rego.wasm.zst'));
    cpSync(join(BUILT, 'rego.json'), join(folder, 'rego.json'));
    const toolchain = openRegoToolchain({ directory: folder, deadlineMs: 60_000 });
    expect(await errorOf(toolchain.parse(SOURCE))).toMatchObject({
      code: 'TOOLCHAIN_DIGEST',
      message: 'the program "rego" is not the one its manifest names',
      hint: 'reinstall countersign: a file of its own is missing or was changed',
    });
    await toolchain.close();
  });

  it('does not keep a process alive that has forgotten it', () => {
    const script = join(folder, 'idle.ts');
    const module = JSON.stringify(join(TOOLCHAIN, 'rego.ts'));
    writeFileSync(
      script,
      `import { openRegoToolchain } from ${module};
      const toolchain = openRegoToolchain({ directory: ${JSON.stringify(BUILT)}, deadlineMs: 60_000 });
      console.log((await toolchain.parse(${JSON.stringify(SOURCE)})).length);`,
    );
    const output = execFileSync(process.execPath, [script], {
      encoding: 'utf8',
      timeout: 25_000,
      stdio: 'pipe',
    });
    expect(output).toBe('1\n');
  });
});
