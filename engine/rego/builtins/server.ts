// SPDX-License-Identifier: Apache-2.0

import type { OpaErrorCode } from './failed.ts';

/** What a builtin answers; `bytes` are text of a value, good until the next call. */
export type BuiltinAnswer =
  | { readonly kind: 'undefined' }
  | { readonly kind: 'value'; readonly bytes: Uint8Array }
  /** OPA's own error for these arguments, in its words: `to_number: strconv.ParseFloat: …`. */
  | { readonly kind: 'failed'; readonly code: OpaErrorCode; readonly message: string }
  /** A bound was passed: nothing is known of the answer. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The builtin broke. */
  | { readonly kind: 'crashed'; readonly message: string };

/** Whoever has the builtins that neither the module nor this folder has; `engine/toolchain` has OPA's own code for all. */
export interface BuiltinServer {
  /** Builtins that it serves although the table refuses them; for OPA's own cases, never for a policy. */
  readonly extra?: ReadonlySet<string>;
  /** Starts what is needed for calls. @throws {EngineError} TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST */
  prepare(): void;
  /** Begins an evaluation: what was kept of the one before is dropped. Its clock shows `timeNs`, Unix time in nanoseconds. */
  begin(timeNs: bigint): void;
  /**
   * Calls a builtin with texts of values.
   * @throws {EngineError} TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST; the next call starts anew
   */
  call(name: string, parameters: readonly Uint8Array[]): BuiltinAnswer;
}
