// SPDX-License-Identifier: Apache-2.0

/** Every way in which the engine can have no answer; `cli/exit.ts` maps each to an exit code. */
export type EngineErrorCode =
  | 'INPUT_EMPTY'
  | 'INPUT_UNREADABLE'
  | 'INPUT_SYNTAX'
  | 'INPUT_ENCODING'
  | 'INPUT_SHAPE'
  | 'INPUT_TOO_LARGE'
  | 'INPUT_TOO_DEEP'
  | 'INPUT_DUPLICATE_KEY'
  | 'INPUT_KEY'
  | 'INPUT_ALIASES'
  | 'INPUT_NUMBER'
  | 'INPUT_DUPLICATE_OBJECT'
  | 'RENDER_FAILED'
  | 'RENDER_REMOTE'
  | 'RENDER_SOURCE'
  | 'RENDER_DEADLINE'
  | 'RENDER_LIMIT'
  | 'RENDER_UNSTABLE'
  | 'POLICY_UNREADABLE'
  | 'POLICY_EMPTY'
  | 'POLICY_COMPILE'
  | 'POLICY_METADATA'
  | 'POLICY_BUILTIN'
  | 'POLICY_MODULE'
  | 'POLICY_LIMIT'
  | 'POLICY_DEADLINE'
  | 'POLICY_EVALUATION'
  | 'POLICY_RESULT'
  | 'POLICY_PARAMETERS'
  | 'POLICY_DATA'
  | 'BUNDLE_ARCHIVE'
  | 'BUNDLE_ENTRY'
  | 'BUNDLE_TOO_LARGE'
  | 'BUNDLE_MANIFEST'
  | 'BUNDLE_ROOTS'
  | 'BUNDLE_SIGNATURE'
  | 'BUNDLE_UNPINNED'
  | 'BUNDLE_ROLLBACK'
  | 'BUNDLE_EXPIRED'
  | 'LOCK_SHAPE'
  | 'PROJECT_UNREADABLE'
  | 'PROJECT_SYNTAX'
  | 'PROJECT_SCHEMA'
  | 'ENVIRONMENT_UNKNOWN'
  | 'RECORD_SHAPE'
  | 'RECORD_TOO_LARGE'
  | 'TOOLCHAIN_DIGEST'
  | 'TOOLCHAIN_FAILED';

/** A place in a file that a person wrote; `line` and `column` are 1-based. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The template or resource file that the place came from, where `file` is what a chart or a Kustomize folder renders to. */
  readonly source?: string;
}

/** One of several faults behind an error; `code` is the code of the tool that found it (OPA's `rego_type_error`, say). */
export interface Problem {
  readonly message: string;
  readonly code?: string;
  readonly location?: Location;
}

/** What an EngineError may carry beyond its code and message. */
export interface EngineErrorDetail {
  readonly location?: Location;
  readonly hint?: string;
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
}

/**
 * There is no answer: the input, the policy or the Project could not be used. Never a denial, which is a value.
 * `message` is lower case without a full stop and quotes foreign text; `hint` says what to do.
 */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  readonly location?: Location;
  readonly hint?: string;
  readonly problems: readonly Problem[];

  constructor(code: EngineErrorCode, message: string, detail: EngineErrorDetail = {}) {
    super(message, { cause: detail.cause });
    this.name = 'EngineError';
    this.code = code;
    this.problems = detail.problems ?? [];
    if (detail.location !== undefined) this.location = detail.location;
    if (detail.hint !== undefined) this.hint = detail.hint;
  }
}
