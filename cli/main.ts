// SPDX-License-Identifier: Apache-2.0
// The only file that touches the process. It starts with exit code 70, so that whatever ends it unforeseen is never a pass;
// only the path of a verdict sets another.
import { homedir } from 'node:os';
import type { Io } from './io.ts';
import { run } from './run.ts';

process.exitCode = 70;

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

const io: Io = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  stdin: readStdin,
  env: process.env,
  outIsTerminal: process.stdout.isTTY === true,
  errIsTerminal: process.stderr.isTTY === true,
  userId: process.getuid?.(),
  homeDirectory: homedir(),
  now: () => new Date(),
  onStop: (callback) => {
    process.once('SIGTERM', callback);
    process.once('SIGINT', callback);
  },
};

// An answer that could not be written was not given: a closed pipe or a full disk is no pass.
process.stdout.on('error', () => process.exit(70));

process.exitCode = await run(process.argv.slice(2), io);
