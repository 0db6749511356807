// SPDX-License-Identifier: Apache-2.0
import type { Location } from '../../error.ts';

/** OPA's codes of errors in a builtin: an operand of a wrong type, or anything else. */
export type OpaErrorCode = 'eval_type_error' | 'eval_builtin_error';

/** A call that failed in OPA's sense: on its own runtime the expression would be undefined, or with strict errors the evaluation end. */
export interface BuiltinFailure {
  readonly name: string;
  readonly code: OpaErrorCode;
  /** In OPA's words, which begin with the builtin's name. */
  readonly message: string;
  /** Of the call; absent where `with` replaces this builtin somewhere, since the call has no room for it then. */
  readonly location?: Location;
}

/** Thrown by a twin where OPA's own builtin fails; the message is OPA's without the builtin's name. */
export class TwinError extends Error {
  readonly code: OpaErrorCode;

  constructor(code: OpaErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The builtin broke, or its answer is unreadable: nothing is known, and no rule may go on. */
export class BuiltinBroken extends Error {}

/** A builtin was asked for more than it may do: that is a limit, never undefined. */
export class BuiltinRefused extends Error {}

/** Reads the place that a rewritten call carries, `file:line:column`. */
export function placeOf(text: string): Location | undefined {
  const [, file, line, column] = /^(.+):(\d+):(\d+)$/s.exec(text) ?? [];
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) };
}
