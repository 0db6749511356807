// SPDX-License-Identifier: Apache-2.0
// One measurement in a process of its own, which `toolchain.ts` starts: it prints milliseconds, by the clock and of CPU time, as JSON. Modules are loaded before any
// clock starts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileCached, compilePolicy, loadPolicy, type PolicyCache } from '../../engine/policy/index.ts';
import { openRegoToolchain, type RegoSource, type RegoToolchain } from '../../engine/toolchain/rego.ts';

const [root = '', directory = ''] = process.argv.slice(2);
const ALL = ['config', 'containers', 'images', 'kubernetes', 'metadata', 'network', 'pods'];
/** The 24 rules of the bench twice, and half of them once more, each time as a package of its own: 60. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  main: ALL,
  second: ALL,
  third: ['config', 'containers', 'kubernetes', 'network'],
};

function sourcesOf(): readonly RegoSource[] {
  return Object.entries(PACKAGES).flatMap(([packageName, names]) =>
    names.map((name) => {
      const text = readFileSync(join(root, 'test/bench/rules', `${name}.rego`), 'utf8');
      const file = `${packageName}/${name}.rego`;
      return { file, text: text.replace(/^package main$/m, `package ${packageName}`) };
    }),
  );
}

/** All threads together. */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

async function timed(run: () => Promise<unknown>): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const [began, used] = [performance.now(), cpuMs()];
  await run();
  return { ms: performance.now() - began, cpuMs: cpuMs() - used };
}

async function main(): Promise<void> {
  const sources = sourcesOf();
  const rules = sources.flatMap(({ text }) => [...text.matchAll(/^(?:deny|warn) contains /gm)]).length;
  const namespaces = { names: Object.keys(PACKAGES), all: false };
  const request = { name: 'bench', sources, namespaces };
  const cache: PolicyCache = { directory, userId: process.getuid?.(), toolVersion: 'bench' };
  let toolchain: RegoToolchain | undefined;
  const open = (): RegoToolchain => {
    toolchain ??= openRegoToolchain({ directory: join(root, 'engine/toolchain/built'), deadlineMs: 120_000 });
    return toolchain;
  };
  const facts = { name: 'bench', revision: '', parameters: {}, data: {} };
  const ready = await timed(async () => loadPolicy(await compileCached(request, open, cache), facts));
  const isCached = toolchain === undefined;
  const start = await timed(() => open().format([{ file: 'a.rego', text: 'package a\n' }]));
  const compile = await timed(() => compilePolicy(request, open()));
  await open().close();
  process.stdout.write(JSON.stringify({ isCached, rules, ready, start, compile }));
}

await main();
