// SPDX-License-Identifier: Apache-2.0
// The example of docs/bundles.md, line by line, against a registry in this process.
import { spawn } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type FakeRegistry, startRegistry } from '../attest/oci/registry.ts';
import { place } from '../cli/bundles/place.ts';

const here = place();
let registry: FakeRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  for (const folder of ['examples/conftest/policy', 'examples/shop'])
    cpSync(folder, here.at(folder), { recursive: true });
});
afterAll(async () => {
  await registry.close();
  here.remove();
});

const LAUNCHER = resolve('cli/launcher.cjs');

/** Not waited for with a blocking call: the registry answers from this process. */
function run(argv: readonly string[]): Promise<{ exit: number | null; text: string }> {
  const child = spawn(process.execPath, [LAUNCHER, ...argv], {
    cwd: here.at('.'),
    env: { PATH: process.env['PATH'] ?? '', HOME: here.at('.') },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  return new Promise((fulfil) => child.on('close', (exit) => fulfil({ exit, text })));
}

function trustAuthor(): void {
  const publicKey = readFileSync(here.at('.countersign/key.pub'), 'utf8');
  const key = { name: 'author', uses: ['policy'], environments: ['*'], publicKey };
  const trust = { apiVersion: 'countersign.dev/v1alpha1', kind: 'Trust', keys: [key], logs: [] };
  writeFileSync(here.at('trust.json'), JSON.stringify(trust));
}

it('holds what docs/bundles.md shows', async () => {
  const page = readFileSync(join('docs', 'bundles.md'), 'utf8');
  const lines = /```sh\n([\s\S]+?)```/.exec(page)?.[1]?.trim().split('\n') ?? [];
  expect(lines).toHaveLength(8);
  for (const line of lines) {
    const [command = '', remark = ''] = line.split('  # ');
    const isRemote = command.includes('registry.example');
    const argv = command.replaceAll('registry.example', registry.host).split(' ').slice(1);
    const outcome = await run(isRemote ? [...argv, '--plain-http'] : argv);
    const [, exit = '0', part = ''] = /^exit (\d): (.*)$/.exec(remark) ?? [];
    expect({ line, ...outcome }).toEqual({ line, exit: Number(exit), text: expect.stringContaining(part) });
    if (command === 'countersign init') trustAuthor();
  }
}, 120_000);
