// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Io } from '../../cli/io.ts';
import { run } from '../../cli/run.ts';

const home = mkdtempSync(join(tmpdir(), 'countersign-test-home-'));

/** What a command line printed and how it ended. */
export interface Outcome {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process, in a world of its own: fixed time, its own cache, no terminal. */
export async function countersign(
  argv: readonly string[],
  world: Partial<Io> & { readonly input?: string } = {},
): Promise<Outcome> {
  let out = '';
  let err = '';
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
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
  const exit = await run(argv, io);
  return { exit, out, err };
}
