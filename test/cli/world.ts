// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../../cli/io.ts';
import { run } from '../../cli/run.ts';
import { knownPrograms } from '../../engine/toolchain/program.ts';

/** Held, so that the command lines of a test file compile each program once. */
const held = new Set<WebAssembly.Module>();

const home = mkdtempSync(join(tmpdir(), 'countersign-test-home-'));

/** What a command line printed and how it ended. */
export interface Outcome {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** A world in which nothing is printed: fixed time, its own cache, no terminal. */
export function worldOf(world: Partial<Io> & { readonly input?: string } = {}): Io {
  return {
    out: () => undefined,
    err: () => undefined,
    stdin: async () => Buffer.from(world.input ?? ''),
    env: {},
    outIsTerminal: false,
    errIsTerminal: false,
    userId: process.getuid?.(),
    homeDirectory: home,
    now: () => new Date('2026-11-24T12:00:00Z'),
    onStop: () => undefined,
    ...world,
  };
}

/** Runs a command line in this process, in such a world, and keeps what it prints. */
export async function countersign(
  argv: readonly string[],
  world: Partial<Io> & { readonly input?: string } = {},
): Promise<Outcome> {
  let out = '';
  let err = '';
  const io = worldOf({
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    ...world,
  });
  const exit = await run(argv, io);
  for (const module of knownPrograms()) held.add(module);
  return { exit, out, err };
}
