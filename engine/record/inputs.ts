// SPDX-License-Identifier: Apache-2.0
// The digest of everything that rules have seen: a line for each Input, ordered by object.
import { hash } from 'node:crypto';
import { objectId } from '../decide/finding.ts';
import type { Document } from '../manifest/index.ts';
import type { Style } from '../policy/rule.ts';
import { digestForm } from './secret.ts';
import { objectOf } from './set.ts';

/** One line of the input digest; a Secret's line is over its reduced form, since a digest of values lets anyone test guesses. */
export function inputLine(style: Style, input: Uint8Array, document: Document): string {
  const bytes = style === 'native' ? input : digestForm(document);
  return [hash('sha256', bytes, 'hex'), '  ', objectId(objectOf(document)), '\n'].join('');
}

/** SHA-256 (hex) of the lines, ordered by object and then by digest. */
export function inputDigest(lines: readonly string[]): string {
  const ordered = [...lines].sort((a, b) =>
    a.slice(64) < b.slice(64) ? -1 : a.slice(64) > b.slice(64) ? 1 : a < b ? -1 : 1,
  );
  return hash('sha256', ordered.join(''), 'hex');
}
