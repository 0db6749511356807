// SPDX-License-Identifier: Apache-2.0
// Writers that die, disks that fail, and what is left of the ledger: everything that was acknowledged, and nothing half-written.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditLedger, openFileRows, openReader } from '../../attest/index.ts';
import { appendTo, newSigner, open, statementBytes } from '../attest/fixture.ts';

const WRITER = join(import.meta.dirname, 'writer.ts');
const SOURCE = join(import.meta.dirname, 'faults.c');

/** What a writer said before it ended. */
export interface Said {
  /** Names of acknowledged statements by their index. */
  readonly acknowledged: ReadonlyMap<number, string>;
  readonly refused: readonly string[];
  readonly isKilled: boolean;
}

interface Writing {
  readonly directory: string;
  readonly round: string;
  /** 0: until it is killed. */
  readonly count: number;
  readonly concurrency: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds from its start, or from its first acknowledgement, after which it is killed. */
  readonly killAfterMs?: { readonly start: number } | { readonly first: number };
}

/** Starts a writer and resolves with what it said when it is no more. */
export async function write(writing: Writing): Promise<Said> {
  const { directory, round, count, concurrency, env = {} } = writing;
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', WRITER, directory, round, String(count), String(concurrency)],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '', ...env } },
  );
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (writing.killAfterMs !== undefined && 'first' in writing.killAfterMs)
      killLater(child, writing.killAfterMs.first);
  });
  if (writing.killAfterMs !== undefined && 'start' in writing.killAfterMs)
    killLater(child, writing.killAfterMs.start);
  await once(child, 'close');
  // A line without its end was not said.
  const lines = text.split('\n').slice(0, -1);
  const acknowledged = new Map<number, string>();
  for (const line of lines) {
    const [word, index, name = ''] = line.split(' ');
    if (word === 'ok') acknowledged.set(Number(index), name);
  }
  return {
    acknowledged,
    refused: lines.filter((line) => !line.startsWith('ok ')),
    isKilled: child.signalCode === 'SIGKILL',
  };
}

const killing = new WeakSet<ChildProcess>();
function killLater(child: ChildProcess, ms: number): void {
  if (killing.has(child)) return;
  killing.add(child);
  setTimeout(() => child.kill('SIGKILL'), ms);
}

/** Everything that is wrong with a ledger, given what it has acknowledged. Empty where all is well; then it takes a record more. */
export async function faultsOf(
  directory: string,
  acknowledged: ReadonlyMap<number, string>,
): Promise<string[]> {
  if (!existsSync(join(directory, 'ledger.sqlite3')) && acknowledged.size === 0) return [];
  const began = performance.now();
  const ledger = open(directory);
  const opened = performance.now() - began;
  const faults = opened > 1_000 ? [`it took ${opened} ms to open`] : [];
  const rows = openFileRows(directory);
  const { faults: found } = await auditLedger({ reader: await openReader(rows) });
  faults.push(...found.map((fault) => JSON.stringify(fault)));
  for (const [index, name] of acknowledged) {
    const [row] = await rows.entries(index, index + 1);
    const said =
      row === undefined ? undefined : JSON.parse(Buffer.from(row.payload).toString()).predicate.name;
    if (said !== name) faults.push(`entry ${index} was acknowledged as ${name} and is ${said}`);
  }
  const size = ledger.size();
  const bundle = await appendTo(ledger, newSigner(), statementBytes({ predicate: { name: 'after' } }));
  const index = bundle.verificationMaterial.tlogEntries[0]?.logIndex;
  if (index !== String(size)) faults.push(`the next record is ${index}, not ${size}`);
  await rows.close();
  await ledger.close();
  return faults;
}

/** Builds the library of faults; undefined where there is no compiler, or no LD_PRELOAD. */
export function buildFaults(directory: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const library = join(directory, 'faults.so');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl', '-lpthread'], {
      stdio: 'pipe',
    });
    return library;
  } catch {
    return undefined;
  }
}

/** A fault at one operation of a writer that has `count` statements. */
export interface Fault {
  readonly kind: 'eio' | 'enospc' | 'erofs' | 'kill' | 'torn' | 'power';
  readonly at: number;
  /** From this operation on, not this one alone. */
  readonly stays?: boolean;
}

/** Runs a writer over a failing disk and says what is wrong afterwards, and what it said. */
export async function withFault(
  library: string,
  { kind, at, stays = false }: Fault,
  count = 6,
): Promise<{ readonly faults: readonly string[]; readonly said: Said; readonly operations: number }> {
  const base = join(tmpdir(), `countersign-fault-${process.pid}-${kind}-${at}${stays ? '-stays' : ''}`);
  const [directory, mirror, counted] = [join(base, 'ledger'), join(base, 'mirror'), join(base, 'count')];
  for (const folder of [base, directory, mirror]) mkdirSync(folder, { recursive: true });
  const env = {
    LD_PRELOAD: library,
    FAULT_DIR: directory,
    FAULT_AT: String(at),
    FAULT_KIND: kind === 'power' ? 'kill' : kind,
    FAULT_COUNT: counted,
    ...(kind === 'power' ? { FAULT_MIRROR: mirror } : {}),
    ...(stays ? { FAULT_FROM: '1' } : {}),
  };
  const said = await write({ directory, round: `${kind}${at}`, count, concurrency: 1, env });
  const operations = existsSync(counted) ? Number(readFileSync(counted, 'utf8')) : 0;
  if (kind === 'power') cutPower(directory, mirror);
  const faults = await faultsOf(directory, said.acknowledged);
  rmSync(base, { recursive: true });
  return { faults, said, operations };
}

/** Leaves of a folder what was synced. */
function cutPower(directory: string, mirror: string): void {
  rmSync(directory, { recursive: true });
  mkdirSync(directory, { mode: 0o700 });
  const names = existsSync(join(mirror, 'names')) ? readFileSync(join(mirror, 'names'), 'utf8') : '';
  for (const line of names.split('\n').filter(Boolean)) {
    const [, inode = '', name = ''] = /^(\d+) (.+)$/.exec(line) ?? [];
    if (name.endsWith('-shm')) continue;
    const kept = join(mirror, `i${inode}`);
    if (existsSync(kept)) copyFileSync(kept, join(directory, name));
    else writeFileSync(join(directory, name), '');
  }
}
