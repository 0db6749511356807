// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals';
import { openClaims } from '../../../webhook/claims/claims.ts';
import type { Asking } from '../../../webhook/claims/prepared.ts';
import { WebhookError } from '../../../webhook/error.ts';
import { admit, POD, reviewOf, start, stopAll } from '../harness.ts';

afterAll(() => stopAll());

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const OUTAGE = new WebhookError('CLAIMS_UNAVAILABLE', 'gone');
const TRUST = '1'.repeat(64);
const asked = (isLive: boolean, expires?: string) => ({
  parts: {
    trust: {},
    environment: 'production',
    requireLog: false,
    types: ['t'],
    access: { plainHttp: false, privateHosts: [] },
    ...(expires === undefined ? {} : { trustedRootExpires: expires }),
  },
  registries: ['r.example/shop'],
  isLive,
  trustDigest: TRUST,
});
const pod = (...images: readonly string[]) => ({
  ...POD,
  spec: { containers: images.map((image, at) => ({ name: `c${at}`, image })) },
});

/** Claims of a store that says this of every image. */
function claimsOf(asking: (digest: string) => Asking, isLive = false, waitMs?: number) {
  const names: string[] = [];
  const claims = openClaims(
    {
      ask: (_scope, { registry, repository, digest }) => {
        names.push(`${registry}/${repository}@${digest}`);
        return asking(digest);
      },
    },
    () => new Date('2026-11-24T12:00:00Z'),
    waitMs,
  );
  const one = asked(isLive);
  claims.use((namespace) => (namespace === 'shop' ? one : undefined));
  const about = (object: object, request: object = {}) =>
    claims.about(Buffer.from(JSON.stringify(reviewOf({ object, ...request }))));
  return { claims, names, about };
}

const known = (...texts: readonly string[]): Asking => ({ known: { texts } });

describe('claims about an admission', () => {
  it('are about images by digest, of the registries that are looked at, and no others', async () => {
    const { about, names } = claimsOf((digest) => known(`of ${digest[7]}`));
    const object = pod(
      `r.example/shop/web:1@${DIGEST}`,
      `R.example/shop/api@${OTHER}`,
      'r.example/shop/web:1',
      `r.example/shopping/web@${DIGEST}`,
      `r.example.evil/shop/web@${DIGEST}`,
      `169.254.169.254/shop/web@${DIGEST}`,
      `r.example:5000/shop/web@${DIGEST}`,
    );
    expect(await about(object)).toEqual({
      claims: new Map([
        [DIGEST, ['of a']],
        [OTHER, ['of b']],
      ]),
      trustDigest: TRUST,
    });
    expect(names).toEqual([`r.example/shop/web@${DIGEST}`, `r.example/shop/api@${OTHER}`]);
  });

  it('are none where the environment looks for nothing', async () => {
    const { claims, about, names } = claimsOf(() => known());
    expect(await about(pod(`r.example/shop/web@${DIGEST}`), { namespace: 'other' })).toBeUndefined();
    claims.use(undefined);
    expect(await about(pod(`r.example/shop/web@${DIGEST}`))).toBeUndefined();
    expect(await claims.about(Buffer.from('{'))).toBeUndefined();
    expect(names).toEqual([]);
  });

  it('are not looked for about what is deleted', async () => {
    const { about, names } = claimsOf(() => known());
    const object = pod(`r.example/shop/web@${DIGEST}`);
    expect(await about(object, { operation: 'DELETE', oldObject: object })).toEqual({
      claims: new Map(),
      trustDigest: TRUST,
    });
    expect(names).toEqual([]);
  });

  it('that are not known yet are no answer, and nothing is waited for', async () => {
    const { about, names } = claimsOf(() => ({ done: new Promise(() => undefined) }));
    const object = pod(`r.example/shop/web@${DIGEST}`, `r.example/shop/api@${OTHER}`);
    await expect(about(object)).rejects.toMatchObject({
      code: 'CLAIMS_PENDING',
      message: 'attestations not available yet',
    });
    // Both are being fetched for the next try.
    expect(names).toHaveLength(2);
  });

  it('are waited for where the Project says so, by a number of admissions', async () => {
    let answer: (value: { texts: string[] }) => void = () => undefined;
    const done = new Promise<{ texts: string[] }>((resolve) => {
      answer = resolve;
    });
    const { about } = claimsOf(() => ({ done }), true);
    const object = pod(`r.example/shop/web@${DIGEST}`);
    const waiting = Array.from({ length: 64 }, () => about(object));
    await expect(about(object)).rejects.toMatchObject({ code: 'CLAIMS_PENDING' });
    answer({ texts: ['claim'] });
    const proved = { claims: new Map([[DIGEST, ['claim']]]), trustDigest: TRUST };
    expect(await Promise.all(waiting)).toEqual(Array(64).fill(proved));
    expect(await about(object)).toEqual(proved);
  });

  it('are waited for no longer than a caller waits', async () => {
    const { about } = claimsOf(() => ({ done: new Promise(() => undefined) }), true, 20);
    await expect(about(pod(`r.example/shop/web@${DIGEST}`))).rejects.toMatchObject({
      code: 'CLAIMS_PENDING',
    });
  });

  it('are no answer once the trusted root has expired, however well they are known', async () => {
    const { claims, about, names } = claimsOf(() => known('claim'));
    const object = pod(`r.example/shop/web@${DIGEST}`);
    for (const [expires, code] of [
      ['2026-11-24T12:00:00.001Z', undefined],
      ['2026-11-24T12:00:00.000Z', 'CLAIMS_UNAVAILABLE'],
    ] as const) {
      const stated = asked(true, expires);
      claims.use(() => stated);
      const answer = about(object).then(
        () => undefined,
        (error: unknown) => Reflect.get(Object(error), 'code'),
      );
      expect(await answer).toBe(code);
    }
    expect(names).toHaveLength(1);
  });

  it('of one image that cannot be had are no answer for all', async () => {
    const { about } = claimsOf((digest) =>
      digest === DIGEST ? known('claim') : { known: { error: OUTAGE } },
    );
    await expect(about(pod(`r.example/shop/web@${DIGEST}`, `r.example/shop/api@${OTHER}`))).rejects.toBe(
      OUTAGE,
    );
  });
});

describe('the webhook', () => {
  const body = reviewOf({ object: pod(`r.example/shop/web@${DIGEST}`) });

  it('judges with the claims', async () => {
    const claims = new Map([[DIGEST, ['{}']]]);
    const { server, changes } = await start({ claims: async () => ({ claims, trustDigest: TRUST }) });
    await admit(server, body);
    expect(changes.map((change) => [change.claims, change.trustDigest])).toEqual([[claims, TRUST]]);
  });

  it('refuses, and judges nothing, while they are not known', async () => {
    const { about, claims } = claimsOf(() => ({ done: new Promise(() => undefined) }));
    expect(about).toBeDefined();
    const { server, changes, recorded } = await start({ claims: (bytes) => claims.about(bytes) });
    const { status, text } = await admit(server, body);
    expect(status).toBe(200);
    expect(JSON.parse(text).response).toMatchObject({
      allowed: false,
      status: {
        code: 500,
        message:
          'countersign: no answer [CLAIMS_PENDING]: attestations not available yet\nhint: they are being fetched: try again in some seconds',
      },
    });
    expect([changes, recorded]).toEqual([[], []]);
  });

  it('refuses where they cannot be had, whatever the reason', async () => {
    for (const [error, code] of [
      [OUTAGE, 'CLAIMS_UNAVAILABLE'],
      [new TypeError('x'), 'INTERNAL'],
    ] as const) {
      const { server, changes } = await start({ claims: () => Promise.reject(error) });
      const { text } = await admit(server, body);
      expect(JSON.parse(text).response).toMatchObject({
        allowed: false,
        status: { code: 500, message: expect.stringContaining(`[${code}]`) },
      });
      expect(changes).toEqual([]);
    }
  });
});
