// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import type { NetworkRules } from '../oci/address.ts';
import { type HttpAnswer, type HttpRequest, send } from '../oci/http.ts';
import { MAX_JWKS_BYTES, parseJwks, type TokenKey, type TokenKeys } from './keys.ts';

/** The keys of one issuer, which may change while we run. */
export interface Keyring {
  /** The key of this `kid`, compared as text. Rejects with {AttestError} TOKEN_KEYS where the keys cannot be had. */
  keyOf(keyId: string, now: Date): Promise<TokenKey | undefined>;
}

/** The keys of a file: they stay as they are. @throws {AttestError} TOKEN_KEYS */
export function fixedKeyring(jwks: Uint8Array): Keyring {
  const keys = parseJwks(jwks);
  return { keyOf: (keyId) => Promise.resolve(keys.get(keyId)) };
}

/** How long keys are used that were fetched, in milliseconds. */
export interface KeyringTimes {
  /** After this they are fetched anew before they are used. */
  readonly freshMs: number;
  /** After this they are used no longer, though they cannot be fetched anew. */
  readonly usableMs: number;
  /** Between two fetches, whatever keys tokens name: nobody makes us ask in a loop. */
  readonly intervalMs: number;
}

export const KEYRING_TIMES: KeyringTimes = {
  freshMs: 60 * 60_000,
  usableMs: 24 * 60 * 60_000,
  intervalMs: 60_000,
};

/** What was fetched last, and when it was last tried. */
interface Fetched {
  readonly keys?: TokenKeys;
  readonly fetchedMs: number;
  readonly triedMs: number;
  readonly failure?: unknown;
}

/**
 * The keys at a URL, fetched when they are first needed and kept. A `kid` that is not among them may be a new one: then they are fetched
 * anew, at most once in an interval. Where that fails the last good ones serve until they are too old.
 */
export function fetchedKeyring(fetchJwks: () => Promise<Uint8Array>, times: KeyringTimes): Keyring {
  let state: Fetched = { fetchedMs: Number.NEGATIVE_INFINITY, triedMs: Number.NEGATIVE_INFINITY };
  let running: Promise<void> | undefined;

  const refresh = async (nowMs: number): Promise<void> => {
    try {
      state = { keys: parseJwks(await fetchJwks()), fetchedMs: nowMs, triedMs: nowMs };
    } catch (failure) {
      state = { ...state, triedMs: nowMs, failure };
    }
  };
  const tryAgain = async (nowMs: number): Promise<void> => {
    if (isWithin(state.triedMs, nowMs, times.intervalMs)) return;
    running ??= refresh(nowMs).finally(() => {
      running = undefined;
    });
    await running;
  };

  return {
    keyOf: async (keyId, now) => {
      const nowMs = now.getTime();
      if (!isWithin(state.fetchedMs, nowMs, times.freshMs) || state.keys?.has(keyId) !== true)
        await tryAgain(nowMs);
      if (state.keys === undefined || !isWithin(state.fetchedMs, nowMs, times.usableMs))
        throw unavailable(state.failure);
      return state.keys.get(keyId);
    },
  };
}

/** Whether `now` is at most so much later; a clock that was set back has no say. */
const isWithin = (thenMs: number, nowMs: number, spanMs: number): boolean =>
  nowMs >= thenMs && nowMs - thenMs < spanMs;

const unavailable = (cause: unknown): AttestError => {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new AttestError('TOKEN_KEYS', `the keys of an issuer of tokens cannot be had${why}`, {
    cause,
    hint: 'check jwks of the issuer in the Project; a file of keys needs no network',
  });
};

const TIMEOUT_MS = 10_000;

/**
 * Fetches a key set: https, no redirect, 10 s, 256 KiB, no private address but where the rules allow the host.
 * @throws {AttestError} TOKEN_KEYS
 */
export async function fetchJwks(url: URL, rules: NetworkRules): Promise<Uint8Array> {
  const headers = { accept: 'application/json' };
  const request = { method: 'GET', url, headers, maxBytes: MAX_JWKS_BYTES, timeoutMs: TIMEOUT_MS } as const;
  const answer = await ask(request, rules);
  if (answer.status === 200) return answer.body;
  throw new AttestError(
    'TOKEN_KEYS',
    `${JSON.stringify(url.host)} answers ${answer.status} where a key set should be`,
  );
}

async function ask(request: HttpRequest, rules: NetworkRules): Promise<HttpAnswer> {
  try {
    return await send(request, rules);
  } catch (cause) {
    if (!(cause instanceof AttestError)) throw cause;
    const hint =
      'issuers[].jwks in the Project: a file needs no network, private: true allows a private address';
    throw new AttestError('TOKEN_KEYS', cause.message, { cause, hint });
  }
}
