// SPDX-License-Identifier: Apache-2.0
import type { LoadedKey, Trust } from '../trust/trust.ts';
import type { RecordQuestion } from './record.ts';
import { quoted, refuse } from './refusal.ts';

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

/** Refuses a key outside its time. A key that has dates holds only where the reader says at what time: an expired one never by default. */
export function checkKeyTime(key: LoadedKey, at: Date | undefined): void {
  const name = JSON.stringify(key.name);
  const { notBefore, notAfter, revokedAt } = key;
  if ([notBefore, notAfter, revokedAt].every((date) => date === undefined)) return;
  const time = at?.getTime() ?? Number.NaN;
  if (Number.isNaN(time))
    refuse('KEY_TIME', `key ${name} has dates, and no time was given to compare them with`);
  if (notBefore !== undefined && time < Date.parse(notBefore))
    refuse('KEY_TIME', `key ${name} is not valid before ${notBefore}`);
  if (notAfter !== undefined && time > Date.parse(notAfter))
    refuse('KEY_TIME', `key ${name} is not valid after ${notAfter}`);
  if (revokedAt !== undefined && time >= Date.parse(revokedAt))
    refuse('KEY_TIME', `key ${name} was revoked at ${revokedAt}`);
}
