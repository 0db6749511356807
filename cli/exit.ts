// SPDX-License-Identifier: Apache-2.0
import { AttestError, type AttestErrorCode } from '../attest/error.ts';
import { EngineError, type EngineErrorCode, type Problem } from '../engine/index.ts';
import { codeOf, messageOf } from './cause.ts';
import type { Io } from './io.ts';
import { oneLine, placeOf } from './report/text.ts';

/** Exit 1 says no; 2 and above say there is no answer. No flag renumbers (DESIGN §5). */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 5 | 70;

/** The command line itself is wrong. */
export class UsageError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = 'UsageError';
    this.hint = hint;
  }
}

const ENGINE_EXITS = {
  INPUT_EMPTY: 3,
  INPUT_UNREADABLE: 3,
  INPUT_SYNTAX: 3,
  INPUT_ENCODING: 3,
  INPUT_SHAPE: 3,
  INPUT_TOO_LARGE: 3,
  INPUT_TOO_DEEP: 3,
  INPUT_DUPLICATE_KEY: 3,
  INPUT_KEY: 3,
  INPUT_ALIASES: 3,
  INPUT_NUMBER: 3,
  INPUT_DUPLICATE_OBJECT: 3,
  RENDER_FAILED: 3,
  RENDER_REMOTE: 3,
  RENDER_SOURCE: 3,
  RENDER_DEADLINE: 3,
  RENDER_LIMIT: 3,
  RENDER_UNSTABLE: 3,
  POLICY_UNREADABLE: 4,
  POLICY_EMPTY: 4,
  POLICY_COMPILE: 4,
  POLICY_METADATA: 4,
  POLICY_BUILTIN: 4,
  POLICY_MODULE: 4,
  POLICY_LIMIT: 4,
  POLICY_DEADLINE: 4,
  POLICY_EVALUATION: 4,
  POLICY_RESULT: 4,
  POLICY_PARAMETERS: 4,
  POLICY_DATA: 4,
  BUNDLE_ARCHIVE: 4,
  BUNDLE_ENTRY: 4,
  BUNDLE_TOO_LARGE: 4,
  BUNDLE_MANIFEST: 4,
  BUNDLE_ROOTS: 4,
  BUNDLE_SIGNATURE: 5,
  BUNDLE_UNPINNED: 5,
  BUNDLE_ROLLBACK: 5,
  BUNDLE_EXPIRED: 5,
  LOCK_SHAPE: 5,
  PROJECT_UNREADABLE: 3,
  PROJECT_SYNTAX: 3,
  PROJECT_SCHEMA: 3,
  ENVIRONMENT_UNKNOWN: 2,
  RECORD_SHAPE: 3,
  RECORD_TOO_LARGE: 3,
  TOOLCHAIN_DIGEST: 5,
  TOOLCHAIN_FAILED: 4,
} as const satisfies Record<EngineErrorCode, ExitCode>;

const ATTEST_EXITS = {
  KEY_UNREADABLE: 5,
  KEY_KIND: 5,
  KEY_MISMATCH: 5,
  KEY_PASSWORD: 5,
  IDENTITY_TOKEN: 5,
  SIGSTORE_REFUSED: 5,
  SIGSTORE_UNAVAILABLE: 5,
  KMS_URI: 2,
  KMS_PACKAGE: 5,
  KMS_REFUSED: 5,
  KMS_UNAVAILABLE: 5,
  PREDICATE_SHAPE: 3,
  LEDGER_UNAVAILABLE: 5,
  LEDGER_CORRUPT: 5,
  LEDGER_FULL: 5,
  INPUTS_UNAVAILABLE: 5,
  INPUTS_CORRUPT: 5,
  CHECKPOINT_SHAPE: 3,
  CHECKPOINT_UNPUBLISHED: 5,
  RECORD_UNWRITABLE: 5,
  RECORD_UNKNOWN: 3,
  TRUST_UNREADABLE: 5,
  TRUST_SHAPE: 5,
  TOKEN_UNREADABLE: 5,
  TOKEN_KEYS: 5,
  TOKEN_REFUSED: 5,
  TOKENS_UNAVAILABLE: 5,
  SERVER_UNAVAILABLE: 5,
  SERVER_REFUSED: 5,
  SERVER_ANSWER: 5,
  LOGIN_UNAVAILABLE: 5,
  LOGIN_REFUSED: 5,
  TRUST_EXPIRED: 5,
  TRUST_UNAVAILABLE: 5,
  BUNDLE_SHAPE: 3,
  REFERENCE_SHAPE: 2,
  REGISTRY_ADDRESS: 5,
  REGISTRY_UNAVAILABLE: 5,
  REGISTRY_REFUSED: 5,
  REGISTRY_CONTENT: 5,
  FORGE_UNAVAILABLE: 5,
  FORGE_REFUSED: 5,
} as const satisfies Record<AttestErrorCode, ExitCode>;

/** The webhook's errors by code; that folder is loaded only where it is needed, so its type is known here by name. */
const WEBHOOK_EXITS: Readonly<Record<string, ExitCode>> = {
  HOST_NAME: 2,
  URL_UNUSABLE: 2,
  STATE_UNUSABLE: 5,
  CERTIFICATE_UNUSABLE: 5,
  LISTEN_FAILED: 5,
};

function webhookExit(error: unknown): ExitCode | undefined {
  return error instanceof Error && error.name === 'WebhookError' ? WEBHOOK_EXITS[codeOf(error)] : undefined;
}

/** Prints an error as its reader needs it and returns the exit code; a fault of ours prints its stack and is 70. */
export function reportError(error: unknown, io: Io): ExitCode {
  if (error instanceof UsageError) {
    io.err(talk(error.message, error.hint));
    return 2;
  }
  if (error instanceof EngineError) {
    io.err(engineLines(error));
    return ENGINE_EXITS[error.code];
  }
  if (error instanceof AttestError) {
    io.err(talk(`${error.message} [${error.code}]`, error.hint));
    return ATTEST_EXITS[error.code];
  }
  const exit = webhookExit(error);
  if (exit !== undefined) {
    const hint: unknown = Reflect.get(Object(error), 'hint');
    io.err(talk(`${messageOf(error)} [${codeOf(error)}]`, typeof hint === 'string' ? hint : undefined));
    return exit;
  }
  io.err(
    `countersign: internal error, please report it\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return 70;
}

/** What is wrong, then the hint. File names and values of others are in both, so each stays one line. */
const talk = (message: string, hint: string | undefined): string =>
  `countersign: ${oneLine(message)}\n${hint === undefined ? '' : `hint: ${oneLine(hint)}\n`}`;

/** `path:line:col: what is wrong [code]`, one line a problem, then the hint. An error that is the first of its problems is said once. */
function engineLines(error: EngineError): string {
  const own = error.location !== undefined || error.problems.length === 0;
  const isFirst = error.problems.some((one) => one.message === error.message && at(one) === at(error));
  const head =
    (own || error.problems.length > 1) && !isFirst ? [`${at(error)}${error.message} [${error.code}]`] : [];
  const problems = error.problems.map(
    (problem) => `${at(problem)}${problem.message} [${problem.code ?? error.code}]`,
  );
  const hint = error.hint === undefined ? [] : [`hint: ${error.hint}`];
  return [...head, ...problems, ...hint].map((line) => `${oneLine(line)}\n`).join('');
}

const at = ({ location }: Pick<Problem, 'location'>): string =>
  location === undefined ? 'countersign: ' : placeOf(location);
