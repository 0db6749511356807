// SPDX-License-Identifier: Apache-2.0
// Seeded mutants of good tokens: bytes, characters, parts, members of header and payload.
import { type TokenIssuer, verifyToken } from '../../../attest/tokens/index.ts';
import {
  AUDIENCE,
  claimsOf,
  GITHUB_JOB,
  GITLAB_JOB,
  issuerOf,
  jwksOf,
  NOW,
  providerKey,
  sign,
} from './provider.ts';

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=.+/ \n\0é';
const MEMBERS = [
  'alg',
  'kid',
  'typ',
  'crit',
  'b64',
  'jku',
  'jwk',
  'x5u',
  'x5c',
  'zip',
  'enc',
  'iss',
  'aud',
  'exp',
  'iat',
  'nbf',
  'sub',
];
const VALUES: readonly unknown[] = [
  'none',
  'HS256',
  'RS256',
  'ES256',
  '',
  'x',
  null,
  true,
  0,
  -1,
  1e12,
  [],
  {},
  ['exp'],
  AUDIENCE,
  [AUDIENCE, AUDIENCE],
  '../../etc/passwd',
  '__proto__',
  'https://evil.example/jwks',
  'DEF',
];

type Pick = <T>(items: readonly T[]) => T;

function mutant(token: string, others: readonly string[], pick: Pick): string {
  const at = pick([...token].map((_, index) => index));
  const parts = token.split('.');
  switch (pick([0, 1, 2, 3, 4, 5, 6, 7])) {
    case 0:
      return token.slice(0, at) + pick([...ALPHABET]) + token.slice(at + 1);
    case 1:
      return token.slice(0, at) + token.slice(at + 1);
    case 2:
      return token.slice(0, at) + pick([...ALPHABET]) + token.slice(at);
    case 3: {
      // A bit of one part's bytes.
      const index = pick([0, 1, 2]);
      const bytes = Buffer.from(parts[index] ?? '', 'base64url');
      const place = pick([...bytes.keys()]);
      bytes[place] = (bytes[place] ?? 0) ^ (1 << pick([0, 1, 2, 3, 4, 5, 6, 7]));
      return parts.with(index, bytes.toString('base64url')).join('.');
    }
    case 4: {
      // A part of another token that is good as well.
      const index = pick([0, 1, 2]);
      return parts.with(index, pick(others).split('.')[index] ?? '').join('.');
    }
    case 5:
      return pick([
        `${token}.`,
        `.${token}`,
        `${token}=`,
        ` ${token}`,
        `${token}\n`,
        token.slice(0, at),
        parts.slice(0, 2).join('.'),
        `${parts[0]}.${parts[1]}.`,
        [...parts, ...parts].slice(0, 5).join('.'),
      ]);
    case 6:
      return withMember(parts, 0, pick);
    default:
      return withMember(parts, 1, pick);
  }
}

function withMember(parts: readonly string[], index: number, pick: Pick): string {
  const value: Record<string, unknown> = JSON.parse(
    Buffer.from(parts[index] ?? '', 'base64url').toString('utf8'),
  );
  const changed: Record<string, unknown> = { ...value, [pick(MEMBERS)]: pick(VALUES) };
  if (pick([true, false, false])) delete changed[pick(Object.keys(changed))];
  return parts.with(index, Buffer.from(JSON.stringify(changed)).toString('base64url')).join('.');
}

/** What a run found: how many mutants there were, and those that were accepted. */
export interface MutantRun {
  readonly made: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly accepted: readonly string[];
}

/** Verifies mutants of tokens of every algorithm; each of them must be refused, and none may break the verifier. */
export async function runMutants(count: number, seed: number): Promise<MutantRun> {
  const next = random(seed);
  const pick: Pick = (items) => {
    const item = items[Math.floor(next() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  const keys = await Promise.all(['ES256', 'RS256', 'PS256', 'EdDSA'].map((name) => providerKey(name, name)));
  const issuers: readonly TokenIssuer[] = [
    issuerOf(jwksOf(...keys.map(({ jwk }) => jwk))),
    issuerOf(jwksOf(...keys.map(({ jwk }) => jwk)), 'github', 'https://token.actions.githubusercontent.com'),
  ];
  const tokens = await Promise.all(
    keys.flatMap((key) => [
      sign(key, claimsOf(GITLAB_JOB)),
      sign(key, claimsOf({ ...GITHUB_JOB, iss: 'https://token.actions.githubusercontent.com' })),
    ]),
  );
  const codes: Record<string, number> = {};
  const accepted: string[] = [];
  let made = 0;
  while (made < count) {
    const token = pick(tokens);
    const one = mutant(token, tokens, pick);
    if (tokens.includes(one)) continue;
    made++;
    const verdict = await verifyToken(one, issuers, NOW);
    const code = verdict.ok ? 'accepted' : verdict.code;
    codes[code] = (codes[code] ?? 0) + 1;
    if (verdict.ok) accepted.push(one);
  }
  return { made, codes, accepted };
}
