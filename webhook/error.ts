// SPDX-License-Identifier: Apache-2.0

/** A request that cannot be answered with what it asked for, an AdmissionReview or a Decision, and the HTTP status it gets instead. */
export const REQUEST_STATUS = {
  REQUEST_METHOD: 405,
  REQUEST_CONTENT_TYPE: 415,
  REQUEST_ENCODING: 415,
  REQUEST_TOO_LARGE: 413,
  REQUEST_EMPTY: 400,
  REQUEST_SYNTAX: 400,
  REQUEST_DUPLICATE_KEY: 400,
  REQUEST_SHAPE: 400,
  SERVER_MEMORY: 503,
  CALLER_REFUSED: 401,
  REQUEST_ENVIRONMENT: 404,
  REQUEST_SET: 409,
  SERVER_BUSY: 503,
} as const;

export type RequestErrorCode = keyof typeof REQUEST_STATUS;

/** Our own failures: an AdmissionReview came in, and the answer is a refusal with status code 500. */
export type ServerErrorCode =
  | 'DEADLINE'
  | 'OVERLOADED'
  | 'NOT_READY'
  | 'CLAIMS_PENDING'
  | 'CLAIMS_UNAVAILABLE'
  | 'INTERNAL';

/** What keeps the server from starting or being registered. */
export type StartErrorCode =
  | 'STATE_UNUSABLE'
  | 'HOST_NAME'
  | 'CERTIFICATE_UNUSABLE'
  | 'LISTEN_FAILED'
  | 'URL_UNUSABLE';

export type WebhookErrorCode = RequestErrorCode | ServerErrorCode | StartErrorCode;

/** The webhook could not do its part. `message` is lower case without a full stop and holds no value of an object. */
export class WebhookError<Code extends WebhookErrorCode = WebhookErrorCode> extends Error {
  readonly code: Code;
  readonly hint?: string;

  constructor(
    code: Code,
    message: string,
    detail: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: detail.cause });
    this.name = 'WebhookError';
    this.code = code;
    if (detail.hint !== undefined) this.hint = detail.hint;
  }
}
