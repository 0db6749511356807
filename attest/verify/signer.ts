// SPDX-License-Identifier: Apache-2.0
import type { LoadedKey, Trust } from '../trust/trust.ts';
import type { RecordQuestion } from './record.ts';
import { quoted, refuse } from './refusal.ts';
import type { EntryShape } from './shape.ts';

/**
 * The trusted key that a bundle points at. The hint is the sender's word and proves nothing: it only says which of the reader's
 * own keys to try, and a key that a bundle brings along counts for nothing (cosign GHSA-fx35-mq7g-6g98).
 */
export function keyOf(hint: string, trust: Trust, { use, environment }: RecordQuestion): LoadedKey {
  const key =
    trust.keys.find((candidate) => candidate.id === hint) ??
    refuse('KEY_UNKNOWN', `no trusted key has the id ${quoted(hint)}`);
  const name = JSON.stringify(key.name);
  if (!key.uses.includes(use)) refuse('KEY_USE', `key ${name} is not trusted for ${use}`);
  if (key.environments.length === 0) refuse('KEY_ENVIRONMENT', `key ${name} is trusted for no environment`);
  const isEverywhere = key.environments.includes('*');
  if (environment !== undefined && !isEverywhere && !key.environments.includes(environment))
    refuse('KEY_ENVIRONMENT', `key ${name} is not trusted for environment ${quoted(environment)}`);
  return key;
}

/**
 * Whether one of these entries is proved by the very checkpoint that the reader kept: then the signature is older than the end of its
 * key, whatever the time is now, and nobody who has the key since can date one back. A place before that checkpoint's size is not
 * enough: whoever has the log's key as well makes another log of that name, in which any place is free. That the entries hold is
 * checked elsewhere.
 */
export function isHeldBefore({ kept }: LoadedKey, entries: readonly EntryShape[]): boolean {
  if (kept === undefined) return false;
  const { origin, logId, size, root } = kept;
  return entries.some(
    ({ checkpoint, logId: id }) =>
      checkpoint.origin === origin &&
      id === logId &&
      checkpoint.size === size &&
      Buffer.compare(checkpoint.root, root) === 0,
  );
}

/**
 * Refuses a key outside its time. A key that has dates holds only where the reader says at what time: an expired one never by default.
 * @param isHeld whether what it signed is known to be older than its end; absent where a kept checkpoint says nothing of it
 */
export function checkKeyTime(key: LoadedKey, at: Date | undefined, isHeld?: boolean): void {
  const name = JSON.stringify(key.name);
  const { notBefore, notAfter, revokedAt } = key;
  if ([notBefore, notAfter, revokedAt].every((date) => date === undefined)) return;
  const time = at?.getTime() ?? Number.NaN;
  if (Number.isNaN(time))
    refuse('KEY_TIME', `key ${name} has dates, and no time was given to compare them with`);
  if (notBefore !== undefined && time < Date.parse(notBefore))
    refuse('KEY_TIME', `key ${name} is not valid before ${notBefore}`);
  if (isHeld === true) return;
  const but =
    key.kept === undefined || isHeld === undefined
      ? ''
      : ', but for what the checkpoint that was kept proves';
  if (notAfter !== undefined && time > Date.parse(notAfter))
    refuse('KEY_TIME', `key ${name} is not valid after ${notAfter}${but}`);
  if (revokedAt !== undefined && time >= Date.parse(revokedAt))
    refuse('KEY_TIME', `key ${name} was revoked at ${revokedAt}${but}`);
}
