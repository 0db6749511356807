// SPDX-License-Identifier: Apache-2.0

/**
 * Decodes padded standard base64 in its one canonical spelling; undefined for anything else. `Buffer.from` skips what it does not
 * know and drops loose bits, so that many texts would stand for the same bytes.
 * @see https://www.rfc-editor.org/rfc/rfc4648#section-3.5
 */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/**
 * Decodes what DSSE asks a verifier to accept: standard or URL-safe base64, the latter with or without padding, in a canonical
 * spelling without mixing the alphabets.
 * @see https://github.com/secure-systems-lab/dsse/blob/v1.0.2/protocol.md  Signing and verification
 */
export function decodeAnyBase64(text: string): Buffer | undefined {
  const standard = decodeBase64(text);
  if (standard !== undefined) return standard;
  const padded = text.endsWith('=');
  const bytes = Buffer.from(text, 'base64url');
  const plain = bytes.toString('base64url');
  const expected = padded ? plain.padEnd(Math.ceil(plain.length / 4) * 4, '=') : plain;
  return expected === text ? bytes : undefined;
}
