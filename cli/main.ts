// SPDX-License-Identifier: Apache-2.0
// The only file that touches the process. It starts with exit code 70, so that whatever ends it unforeseen is never a pass;
// only the path of a verdict sets another.
import { homedir } from 'node:os';
import { readStream } from './files.ts';
import type { Io } from './io.ts';
import { isTerminal, writeAll } from './report/descriptor.ts';
import { run } from './run.ts';

process.exitCode = 70;

const STDOUT = 1;
const STDERR = 2;

const io: Io = {
  out: (text) => {
    try {
      writeAll(STDOUT, text);
    } catch {
      // An answer that could not be written was not given: a closed pipe or a full disk is no pass.
      process.exit(70);
    }
  },
  err: (text) => {
    try {
      writeAll(STDERR, text);
    } catch {
      // Nobody listens: the answer is on stdout and in the exit code.
    }
  },
  stdin: () => readStream(process.stdin),
  askPassword: async (question) => {
    if (!process.stdin.isTTY || !isTerminal(STDERR)) return undefined;
    const { askHidden } = await import('./signing/prompt.ts');
    return askHidden(process.stdin, io.err, question);
  },
  env: process.env,
  outIsTerminal: isTerminal(STDOUT),
  errIsTerminal: isTerminal(STDERR),
  userId: process.getuid?.(),
  memory: process.constrainedMemory(),
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
// Leaves at once, as all is written: while a process winds down its signal handlers are gone already.
void run(process.argv.slice(2), io).then((code) => process.exit(code));
