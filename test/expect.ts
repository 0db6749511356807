// SPDX-License-Identifier: Apache-2.0
import { expect } from '@jest/globals';

/** What a call threw, or a failure of the test when it returned. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('expected the call to throw');
}

/** Asserts type, code and (where given) the whole message of what a call throws. */
export function expectThrown(
  run: () => unknown,
  type: new (...parameters: never[]) => Error,
  code: string,
  message?: string,
): void {
  const error = thrownBy(run);
  expect(error).toBeInstanceOf(type);
  expect(error).toMatchObject(message === undefined ? { code } : { code, message });
}

/** The same of a promise. */
export async function expectRejected(
  work: Promise<unknown>,
  type: new (...parameters: never[]) => Error,
  code: string,
  message?: string,
): Promise<void> {
  const settled = await work.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (settled === undefined) throw new Error('expected the promise to be rejected');
  expectThrown(
    () => {
      throw settled.error;
    },
    type,
    code,
    message,
  );
}
