// SPDX-License-Identifier: Apache-2.0

/** The code that Node gave an error (`ENOENT`, `ERR_PARSE_ARGS_UNKNOWN_OPTION`); `unknown` where it has none. */
export function codeOf(cause: unknown): string {
  const code: unknown = typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'code') : undefined;
  return typeof code === 'string' ? code : 'unknown';
}

/** The message of whatever was thrown. */
export function messageOf(cause: unknown): string {
  const message: unknown =
    typeof cause === 'object' && cause !== null ? Reflect.get(cause, 'message') : undefined;
  return typeof message === 'string' ? message : String(cause);
}
