// SPDX-License-Identifier: Apache-2.0
import { sprintf } from './sprintf.ts';

/** A builtin refused its arguments. It blocks: on OPA's own runtime the rule would silently not fire. */
export class BuiltinError extends Error {}

/** Takes value texts and returns one, or undefined where the result is undefined. */
export type HostBuiltin = (parameters: readonly string[]) => string | undefined;

/** Every builtin that the host serves; what a module imports beyond it is refused when it is loaded. */
export const HOST_BUILTINS: ReadonlyMap<string, HostBuiltin> = new Map([
  [
    'sprintf',
    ([format = '', values = '']): string => {
      try {
        return JSON.stringify(sprintf(format, values));
      } catch (cause) {
        throw cause instanceof RangeError ? new BuiltinError(cause.message) : cause;
      }
    },
  ],
]);
