// SPDX-License-Identifier: Apache-2.0
// What the threads have in common that run a program, so that their clients can end it: Go on wasip1 has no timers while it runs.
import { EngineError } from '../error.ts';

/** What such a thread answers: the program's bytes, and once its module where the thread compiled it; or why there are none. */
export type WorkerReply =
  | { readonly answer: Uint8Array; readonly module?: WebAssembly.Module }
  | {
      readonly code: 'TOOLCHAIN_DIGEST' | 'TOOLCHAIN_FAILED';
      readonly message: string;
      readonly hint?: string;
    };

/** The reply to a request; `call` starts the program if need be, and asks it. */
export function replyOf(call: () => Uint8Array): WorkerReply {
  try {
    return { answer: call() };
  } catch (error) {
    const isChanged = error instanceof EngineError && error.code === 'TOOLCHAIN_DIGEST';
    const hint = error instanceof EngineError ? error.hint : undefined;
    return {
      code: isChanged ? 'TOOLCHAIN_DIGEST' : 'TOOLCHAIN_FAILED',
      message: error instanceof Error ? error.message : String(error),
      ...(hint === undefined ? {} : { hint }),
    };
  }
}

/** Makes the first answer take the module along, for those that follow; `isTold` where its thread was started with it. */
export function tellingOf(
  module: () => WebAssembly.Module,
  isTold: boolean,
): (reply: WorkerReply) => WorkerReply {
  let isKnown = isTold;
  return (reply) => {
    if (isKnown || !('answer' in reply)) return reply;
    isKnown = true;
    return { ...reply, module: module() };
  };
}

/** Made with the first use; what fails is tried again with the next. */
export function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
