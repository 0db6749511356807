// SPDX-License-Identifier: Apache-2.0
// The one file of the engine that knows re2js, a port of the RE2 that the API server's Go has: its syntax, its limits on what an
// expression may be, and a time that grows with the text only. A backtracking matcher could be held for hours by a definition.
import { createRequire } from 'node:module';
import { EngineError } from '../../error.ts';

const load = createRequire(import.meta.url);

/** A regular expression as ajv asks for it; `toString` tells two apart. */
export interface Pattern {
  test(text: string): boolean;
  toString(): string;
}

/** What the matches of one object may take: steps of a program over a text, of which there are at most as many as the one times the other. */
export interface Budget {
  steps: number;
}

/** Some seconds at the worst. */
export const STEPS_MAX = 400_000_000;

/**
 * Compiles a pattern of a definition: found anywhere in a text unless it is anchored. A match that the budget does not last for is an
 * error and no answer: inside of a `not`, no would be a yes.
 * @throws Error where Go's `regexp` would refuse it
 */
export function compilePattern(pattern: string, budget: Budget): Pattern {
  const { RE2JS }: typeof import('re2js') = load('re2js');
  const compiled = RE2JS.compile(pattern);
  const size = Math.max(compiled.programSize(), 1);
  return {
    test: (text) => {
      budget.steps -= text.length * size;
      if (budget.steps < 0) throw tooLong();
      return compiled.matcher(text).find();
    },
    toString: () => pattern,
  };
}

const tooLong = (): EngineError =>
  new EngineError('INPUT_TOO_LARGE', "an object's texts are too long for the patterns of its definition", {
    hint: 'the API server would take very long over it too: shorten them, or mend the pattern',
  });
