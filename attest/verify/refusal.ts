// SPDX-License-Identifier: Apache-2.0

/** Why a record or a bundle does not hold. */
export type RefusalCode =
  | 'SHAPE'
  | 'PAYLOAD_TYPE'
  | 'KEY_UNKNOWN'
  | 'KEY_USE'
  | 'KEY_ENVIRONMENT'
  | 'SIGNATURE'
  | 'KEY_TIME'
  | 'LOG_ENTRY'
  | 'LOG_UNKNOWN'
  | 'LOG_TIME'
  | 'LOG_CHECKPOINT'
  | 'LOG_PROOF'
  | 'STATEMENT'
  | 'PREDICATE_TYPE'
  | 'ARTIFACT'
  | 'CERTIFICATE'
  | 'TIMESTAMP'
  | 'SIGNER'
  | 'SUBJECT'
  | 'AGE';

/** A check that failed, on its way to becoming a verdict; it never leaves this folder. */
export class Refusal extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Ends a verification. `message` quotes what is foreign. */
export function refuse(code: RefusalCode, message: string): never {
  throw new Refusal(code, message);
}

const MAX_QUOTED = 120;

/** Foreign text for a message: quoted, and cut where it is long. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}
