// SPDX-License-Identifier: Apache-2.0
// Approvals by the organisation's login, against a provider of our own; then verified when it and its keys are long gone.
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { countersign, type Outcome } from '../world.ts';
import { ISSUER, type LocalProvider, startProvider } from './provider.ts';
import { APPROVALS, checked, type Shop, shopOf } from './shop.ts';

jest.setTimeout(120_000);

const NOW = new Date('2026-11-24T11:00:00Z');
let provider: LocalProvider;
let shops: Shop[] = [];
beforeAll(async () => {
  provider = await startProvider(() => NOW);
});
beforeEach(() => {
  for (const key of Object.keys(provider.faults)) Reflect.deleteProperty(provider.faults, key);
  provider.subject = 'sub-carol';
});
afterAll(async () => {
  await provider.close();
  for (const { folder } of shops) rmSync(folder, { recursive: true });
  shops = [];
});

/** A shop where carol and alice have logins. */
function shop(uses = '[approval, waiver]', environments = '[production]'): Shop {
  const here = shopOf(
    APPROVALS,
    `issuers: [{name: work, issuer: '${ISSUER}', audience: countersign, kind: generic, jwks: {file: jwks.json}}]
login: {issuer: work, discovery: '${provider.url}', uses: ${uses}, environments: ${environments}}
`,
  );
  shops.push(here);
  here.put('jwks.json', '{"keys": []}\n');
  const project = here.read('countersign.yaml');
  here.put(
    'countersign.yaml',
    project
      .replace(
        'keys: [carol, token]}',
        `keys: [carol, token], identities: [{issuer: '${ISSUER}', subject: sub-carol}]}`,
      )
      .replace('keys: [alice]}', `keys: [alice], identities: [{issuer: '${ISSUER}', subject: sub-alice}]}`),
  );
  return here;
}

/** Approves by login; a "browser" that follows what it is told. */
async function approve(
  here: Shop,
  how: string,
  open: (url: string) => Promise<unknown> = (url) => fetch(url),
): Promise<Outcome> {
  let err = '';
  const outcome = await countersign(
    [
      'approve',
      here.path('deploy'),
      '--env',
      'production',
      '--login',
      how,
      '--project',
      here.path('countersign.yaml'),
      '--out',
      here.path('signed/login.json'),
    ],
    {
      now: () => NOW,
      err: (text) => {
        err += text;
        const url = /log in at (http:\S+)/.exec(text)?.[1];
        if (url !== undefined) void open(url);
      },
    },
  );
  return { ...outcome, err };
}

describe('a login', () => {
  it.each(['browser', 'device'])(
    'by %s approves, and is verified offline by the stored keys',
    async (how) => {
      const here = shop();
      const { exit, out, err } = await approve(here, how);
      expect({ exit, err: err.replace(/^log in at .*\n/m, '') }).toEqual({
        exit: 0,
        err: `note: 1 new key of the issuer in ${JSON.stringify(here.path('jwks.json'))}: commit the file with what was signed\n`,
      });
      expect(out).toMatch(/carol approves sha256:[0-9a-f]{64} for "production"\n$/);
      await provider.rotate();
      const later = await checked(here, 'alice');
      expect(later.exit).toBe(0);
      expect(provider.forms.at(-1)?.get('client_id')).toBe('countersign');
    },
  );

  it('is about exactly the statement: any other byte, token or time counts for nothing', async () => {
    const here = shop();
    await approve(here, 'browser');
    const evidence = JSON.parse(here.read('signed/login.json'));
    const text = Buffer.from(evidence.payload, 'base64').toString();
    const refused = async (parts: object, reason: string): Promise<void> => {
      here.put('signed/login.json', JSON.stringify({ ...evidence, ...parts }));
      const { exit, err } = await checked(here, 'alice');
      expect({ exit, isSo: err.includes(reason) ? true : err }).toEqual({ exit: 1, isSo: true });
    };
    const other = Buffer.from(text.replace('"role":"security"', '"role":"securit"')).toString('base64');
    await refused({ payload: other }, 'the nonce is not the digest of the statement');
    const [head, body, signature] = evidence.idToken.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const forged = (parts: object, header = head): string =>
      [header, Buffer.from(JSON.stringify({ ...claims, ...parts })).toString('base64url'), signature].join(
        '.',
      );
    await refused({ idToken: forged({ sub: 'sub-alice' }) }, 'its signature is not by the configured key');
    await refused({ idToken: forged({ aud: 'other' }) }, 'its signature is not by the configured key');
    const none = Buffer.from('{"alg":"none","kid":"key-0"}').toString('base64url');
    await refused({ idToken: forged({}, none) }, 'tokens signed with "none" are not taken');
    await refused(
      { idToken: forged({ iss: 'https://x.example' }) },
      'no issuer "https://x.example" is trusted',
    );
    await refused({ approved: true }, 'this is no evidence of a login');
    here.put('jwks.json', '{"keys": []}');
    await refused({}, 'has no key');
  });

  it.each([
    [
      'whose time is another',
      { iat: NOW.getTime() / 1000 + 3600, exp: NOW.getTime() / 1000 + 3900 },
      /of the future/,
    ],
    [
      'made long before',
      { iat: NOW.getTime() / 1000 - 3600, exp: NOW.getTime() / 1000 + 300 },
      /was not issued when the statement was made/,
    ],
    ['for another nonce', { nonce: 'x' }, /the nonce is not the digest of the statement/],
    ['for two audiences', { aud: ['countersign', 'other'] }, /not for "countersign" alone/],
    [
      'of a stranger',
      { sub: 'sub-eve' },
      /"sub-eve" of "https:\/\/login.shop.example" is none of the people/,
    ],
  ] as const)('%s is not written', async (_, claims, message) => {
    provider.faults.claims = claims;
    const { exit, err } = await approve(shop(), 'browser');
    expect({ exit, isSo: message.test(err) ? true : err }).toEqual({ exit: 5, isSo: true });
  });

  it('that the provider refuses, or another issuer answers, signs nothing', async () => {
    provider.faults.denies = true;
    expect(await approve(shop(), 'browser')).toMatchObject({
      exit: 5,
      err: expect.stringContaining('the provider says "access_denied" [LOGIN_REFUSED]'),
    });
    expect(await approve(shop(), 'device')).toMatchObject({
      exit: 5,
      err: expect.stringContaining('the provider says "access_denied" [LOGIN_REFUSED]'),
    });
    delete provider.faults.denies;
    provider.faults.isOther = true;
    expect(await approve(shop(), 'device')).toMatchObject({
      exit: 5,
      err: expect.stringContaining(
        'the configuration is that of issuer "https://login.other.example" [LOGIN_UNAVAILABLE]',
      ),
    });
  });

  it('on a device whose provider forgets the nonce signs nothing', async () => {
    provider.faults.dropsNonce = true;
    const { exit, err } = await approve(shop(), 'device');
    expect({ exit, isSo: err.includes('the nonce is not the digest of the statement') }).toEqual({
      exit: 5,
      isSo: true,
    });
  });

  it('that comes back from another login signs nothing', async () => {
    const { exit, err } = await approve(shop(), 'browser', async (url) => {
      const redirect = new URL(url).searchParams.get('redirect_uri') ?? '';
      await fetch(`${redirect}?code=stolen&state=guessed`);
    });
    expect({ exit, isSo: err.includes('the browser came back from another login') }).toEqual({
      exit: 5,
      isSo: true,
    });
  });

  it('counts for what and where the Project says', async () => {
    expect((await approve(shop('[waiver]'), 'browser')).err).toContain('a login is not trusted for approval');
    expect((await approve(shop('[approval]', '[staging]'), 'browser')).err).toContain(
      'a login is not trusted for environment "production"',
    );
    const here = shopOf(APPROVALS);
    shops.push(here);
    expect((await approve(here, 'browser')).err).toContain('the Project trusts no login');
  });
});
