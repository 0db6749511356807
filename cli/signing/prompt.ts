// SPDX-License-Identifier: Apache-2.0
import type { ReadStream } from 'node:tty';

const ENTER = /[\r\n]/;
const INTERRUPT = ['\u0003', '\u0004'];
const ERASE = ['\u007f', '\b'];

/** Asks at a terminal, without showing what is typed. Undefined where the question is left (Ctrl-C, Ctrl-D). */
export async function askHidden(
  terminal: ReadStream,
  say: (text: string) => void,
  question: string,
): Promise<string | undefined> {
  say(question);
  terminal.setRawMode(true);
  terminal.setEncoding('utf8');
  try {
    return await readLine(terminal);
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
    say('\n');
  }
}

function readLine(terminal: ReadStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    let typed: readonly string[] = [];
    const end = (answer: string | undefined): void => {
      terminal.off('data', read);
      resolve(answer);
    };
    const read = (text: string): void => {
      for (const character of text) {
        if (ENTER.test(character) || INTERRUPT.includes(character)) {
          end(ENTER.test(character) ? typed.join('') : undefined);
          return;
        }
        typed = ERASE.includes(character) ? typed.slice(0, -1) : [...typed, character];
      }
    };
    terminal.on('data', read);
    terminal.resume();
  });
}
