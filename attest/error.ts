// SPDX-License-Identifier: Apache-2.0

/** Every way in which a proof cannot be made or looked at. A signature that does not hold is no error but a verdict. */
export type AttestErrorCode =
  | 'KEY_UNREADABLE'
  | 'KEY_KIND'
  | 'KEY_MISMATCH'
  | 'KEY_PASSWORD'
  | 'IDENTITY_TOKEN'
  | 'SIGSTORE_REFUSED'
  | 'SIGSTORE_UNAVAILABLE'
  | 'KMS_URI'
  | 'KMS_PACKAGE'
  | 'KMS_REFUSED'
  | 'KMS_UNAVAILABLE'
  | 'PREDICATE_SHAPE'
  | 'LEDGER_UNAVAILABLE'
  | 'LEDGER_CORRUPT'
  | 'LEDGER_FULL'
  | 'INPUTS_UNAVAILABLE'
  | 'INPUTS_CORRUPT'
  | 'CHECKPOINT_SHAPE'
  | 'CHECKPOINT_UNPUBLISHED'
  | 'RECORD_UNWRITABLE'
  | 'RECORD_UNKNOWN'
  | 'TRUST_UNREADABLE'
  | 'TRUST_SHAPE'
  | 'TOKEN_UNREADABLE'
  | 'TOKEN_KEYS'
  | 'TOKEN_REFUSED'
  | 'TOKENS_UNAVAILABLE'
  | 'SERVER_UNAVAILABLE'
  | 'SERVER_REFUSED'
  | 'SERVER_ANSWER'
  | 'LOGIN_UNAVAILABLE'
  | 'LOGIN_REFUSED'
  | 'TRUST_EXPIRED'
  | 'TRUST_UNAVAILABLE'
  | 'BUNDLE_SHAPE'
  | 'REFERENCE_SHAPE'
  | 'REGISTRY_ADDRESS'
  | 'REGISTRY_UNAVAILABLE'
  | 'REGISTRY_REFUSED'
  | 'REGISTRY_CONTENT'
  | 'FORGE_UNAVAILABLE'
  | 'FORGE_REFUSED';

/** There is no proof to be had; `hint` says what to do. */
export class AttestError extends Error {
  readonly code: AttestErrorCode;
  readonly hint?: string;

  constructor(
    code: AttestErrorCode,
    message: string,
    detail: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: detail.cause });
    this.name = 'AttestError';
    this.code = code;
    if (detail.hint !== undefined) this.hint = detail.hint;
  }
}
