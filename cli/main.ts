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
    // Kept for good: a terminal or a supervisor signals the whole group and the launcher passes the signal on, so each comes twice,
    // and the second must not end the process while it drains.
    process.on('SIGTERM', callback);
    process.on('SIGINT', callback);
  },
};

// What nobody caught is a fault of ours: Node alone would end with 1, which says no where there is no answer.
process.on('uncaughtException', (error) => {
  io.err(
    `countersign: internal error, please report it\n${error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exit(70);
});
// An answer that could not be written was not given: a closed pipe or a full disk is no pass. The error comes as an event, or to the
// last write below, whichever is first.
process.stdout.on('error', () => process.exit(70));

const exit = await run(process.argv.slice(2), io);
process.exitCode = exit;
// Leaves at once when the answer is written: while a process winds down its signal handlers are gone already.
process.stdout.write('', (error) => process.exit(error ? 70 : exit));
