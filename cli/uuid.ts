// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';

/** A UUIDv7: 48 bits of Unix time in milliseconds, then random. @see RFC 9562 §5.7 */
export function uuidv7(time: Date): string {
  const milliseconds = time.getTime().toString(16).padStart(12, '0');
  // Version 4 has its version and variant where version 7 has them, and its random bits are drawn many at a time.
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7${randomUUID().slice(15)}`;
}
