// SPDX-License-Identifier: Apache-2.0
import type { RequestListener } from 'node:http';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { AttestError } from '../../../attest/error.ts';
import { fetchedKeyring, fetchJwks, type Keyring } from '../../../attest/tokens/index.ts';
import { jwksOf, type ProviderKey, providerKey, serveJwks } from './provider.ts';

const TIMES = { freshMs: 1_000, usableMs: 5_000, intervalMs: 100 };
let [one, two]: (ProviderKey | undefined)[] = [];
beforeAll(async () => {
  [one, two] = [await providerKey('one', 'ES256'), await providerKey('two', 'ES256')];
});

interface Provider {
  answer: () => Buffer;
  asked: number;
  readonly keyring: Keyring;
}

/** A provider whose answer changes, and how often it was asked. */
function provider(): Provider {
  const state: Provider = {
    answer: () => jwksOf(Object(one?.jwk)),
    asked: 0,
    keyring: fetchedKeyring(() => {
      state.asked++;
      return Promise.resolve().then(() => state.answer());
    }, TIMES),
  };
  return state;
}
const has = async (keyring: Keyring, id: string, ms: number): Promise<boolean> =>
  (await keyring.keyOf(id, new Date(ms))) !== undefined;
const failing = (): Buffer => {
  throw new Error('down');
};

/** Code and message of what a promise rejects with. */
async function failure(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return error instanceof AttestError ? `${error.code} ${error.message}` : 'none';
}

describe('keys that are fetched', () => {
  it('are kept while they are fresh', async () => {
    const state = provider();
    for (const ms of [0, 1, 999]) expect(await has(state.keyring, 'one', ms)).toBe(true);
    expect(state.asked).toBe(1);
    expect(await has(state.keyring, 'one', 1_000)).toBe(true);
    expect(state.asked).toBe(2);
  });

  it('are fetched anew for a key that is not among them, at most once in an interval', async () => {
    const state = provider();
    expect(await has(state.keyring, 'one', 0)).toBe(true);
    state.answer = () => jwksOf(Object(two?.jwk));
    expect(await has(state.keyring, 'two', 99)).toBe(false);
    expect(state.asked).toBe(1);
    expect(await has(state.keyring, 'two', 100)).toBe(true);
    for (let ms = 101; ms < 200; ms++) expect(await has(state.keyring, `x${ms}`, ms)).toBe(false);
    expect(state.asked).toBe(2);
    expect(await has(state.keyring, 'one', 150)).toBe(false);
  });

  it('are asked for once by many at a time', async () => {
    const state = provider();
    const all = await Promise.all(Array.from({ length: 100 }, () => has(state.keyring, 'one', 0)));
    expect({ all: all.every(Boolean), asked: state.asked }).toEqual({ all: true, asked: 1 });
  });

  it('serve on while nothing better can be had, until they are too old', async () => {
    const state = provider();
    expect(await has(state.keyring, 'one', 0)).toBe(true);
    state.answer = failing;
    expect(await has(state.keyring, 'one', 1_500)).toBe(true);
    expect(await has(state.keyring, 'one', 4_999)).toBe(true);
    expect(await failure(state.keyring.keyOf('one', new Date(5_000)))).toBe(
      'TOKEN_KEYS the keys of an issuer of tokens cannot be had: down',
    );
  });

  it('are not replaced by what is no key set', async () => {
    const state = provider();
    expect(await has(state.keyring, 'one', 0)).toBe(true);
    state.answer = () => Buffer.from('<html>');
    expect(await has(state.keyring, 'one', 2_000)).toBe(true);
  });

  it('are an error where there never were any, and that is no reason to ask in a loop', async () => {
    const state = provider();
    state.answer = failing;
    for (const ms of [0, 1, 50])
      expect(await failure(state.keyring.keyOf('one', new Date(ms)))).toMatch(/^TOKEN_KEYS/);
    expect(state.asked).toBe(1);
    state.answer = () => jwksOf(Object(one?.jwk));
    expect(await has(state.keyring, 'one', 100)).toBe(true);
  });

  it('are not fresh by a clock that was set back', async () => {
    const state = provider();
    expect(await has(state.keyring, 'one', 10_000)).toBe(true);
    state.answer = failing;
    expect(await failure(state.keyring.keyOf('one', new Date(0)))).toMatch(/^TOKEN_KEYS/);
  });
});

describe('fetching a key set', () => {
  let stop: (() => Promise<void>) | undefined;
  afterEach(async () => {
    await stop?.();
    stop = undefined;
  });
  const LOCAL = { plainHttp: true, privateHosts: [] };
  const from = async (listener: RequestListener, rules = LOCAL): Promise<Uint8Array> => {
    const served = await serveJwks(listener);
    stop = served.stop;
    return fetchJwks(served.url, rules);
  };

  it('gives the bytes', async () => {
    const bytes = await from((_, response) => response.end('{"keys":[]}'));
    expect(Buffer.from(bytes).toString('utf8')).toBe('{"keys":[]}');
  });

  it.each([
    [301, { location: 'http://169.254.169.254/' }],
    [302, { location: 'https://evil.example/jwks' }],
    [404, {}],
    [500, {}],
    [204, {}],
  ])('follows no redirect and takes no other status: %i', async (status, headers) => {
    const asked = from((_, response) => response.writeHead(status, headers).end());
    expect(await failure(asked)).toMatch(new RegExp(`^TOKEN_KEYS "127.0.0.1:\\d+" answers ${status} where`));
  });

  it('reads no more than a key set has', async () => {
    const endless: RequestListener = (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    expect(await failure(from(endless))).toMatch(/^TOKEN_KEYS .* answers with more than 262144 bytes$/);
  });

  it('speaks https, and not with a private address that nobody allowed', async () => {
    const rules = { plainHttp: false, privateHosts: [] };
    expect(await failure(fetchJwks(new URL('http://issuer.example/jwks'), rules))).toMatch(/is not https$/);
    for (const host of ['127.0.0.1', '10.0.0.1', '169.254.169.254', '[::1]', '[::ffff:10.0.0.1]'])
      expect(await failure(fetchJwks(new URL(`https://${host}/jwks`), rules))).toMatch(/^TOKEN_KEYS host /);
  });
});
