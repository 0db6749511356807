// SPDX-License-Identifier: Apache-2.0

/** Why a token does not hold, in the order in which it is asked. */
export type TokenRefusalCode =
  | 'SHAPE'
  | 'HEADER'
  | 'ALGORITHM'
  | 'ISSUER'
  | 'KEY_UNKNOWN'
  | 'SIGNATURE'
  | 'AUDIENCE'
  | 'TIME'
  | 'CLAIMS'
  | 'REPLAY';

/** A check that failed, on its way to becoming a verdict; it never leaves this folder. */
export class TokenRefusal extends Error {
  readonly code: TokenRefusalCode;

  constructor(code: TokenRefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Ends a verification. `message` quotes what is foreign, and never holds the token. */
export function refuse(code: TokenRefusalCode, message: string): never {
  throw new TokenRefusal(code, message);
}

const MAX_QUOTED = 120;

/** Foreign text for a message: quoted, and cut where it is long. */
export const quoted = (value: unknown): string => {
  const text = typeof value === 'string' ? value : String(JSON.stringify(value));
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
};
