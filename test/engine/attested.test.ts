// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { COSIGN_SIGN, type ImageClaim } from '../../attest/image/index.ts';
import { attestedImages, nameOf, readClaims } from '../../engine/attested.ts';
import type { Document } from '../../engine/manifest/index.ts';

const A = `sha256:${'a'.repeat(64)}`;
const B = `sha256:${'b'.repeat(64)}`;

function podOf(...images: readonly string[]): Document {
  const value = { apiVersion: 'v1', kind: 'Pod', spec: { containers: images.map((image) => ({ image })) } };
  return {
    json: Buffer.from(JSON.stringify(value)),
    value,
    id: { apiVersion: 'v1', kind: 'Pod', name: 'p' },
    file: 'x',
    line: 1,
    index: 0,
    pointer: '',
  };
}

describe('images whose attestations are looked for', () => {
  it('are those below a place, by digest, each once', () => {
    const images = [
      `r.example/shop/web:1@${A}`,
      `R.example/shop/web@${A}`,
      `r.example/shop@${B}`,
      `r.example/shopping@${A}`,
      `r.example/shop/web:1`,
      `r.example/shop/web@sha512:${'a'.repeat(128)}`,
      `r.example.evil/shop/web@${A}`,
      `r.example:5000/shop/web@${A}`,
      `nginx@${A}`,
      `docker.io/library/nginx@${B}`,
      '',
    ];
    const places = ['r.example/shop', 'docker.io/library/nginx'];
    expect(attestedImages([podOf(...images)], places).map(nameOf)).toEqual([
      `r.example/shop/web@${A}`,
      `r.example/shop@${B}`,
      `docker.io/library/nginx@${A}`,
      `docker.io/library/nginx@${B}`,
    ]);
    expect(attestedImages([podOf(...images)], [])).toEqual([]);
  });
});

const statementOf = (digest: string, predicate: object): Buffer =>
  Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: digest.slice(7) } }],
      predicateType: 'https://x.example/t',
      predicate,
    }),
  );
const claimOf = (digest: string, predicate: object, changes: Partial<ImageClaim> = {}): ImageClaim => ({
  subject: digest,
  predicateType: 'https://x.example/t',
  predicate,
  payload: statementOf(digest, predicate),
  payloadDigest: 'sha256:0',
  signer: { kind: 'key', name: 'k', keyId: 'id' },
  source: 'tag x',
  ...changes,
});

describe('claims as rules see them', () => {
  it('are by digest, each once, in order; an image that nothing is proved of has none', () => {
    const [one, two] = [claimOf(A, { n: 1 }), claimOf(A, { n: 2 })];
    const { claims, refused } = readClaims([
      { digest: A, claims: [two, one] },
      { digest: A, claims: [one] },
      { digest: B, claims: [] },
    ]);
    expect(refused).toEqual([]);
    expect([...claims.keys()]).toEqual([A, B]);
    expect(claims.get(B)).toEqual([]);
    expect(claims.get(A)?.map((text): unknown => JSON.parse(text))).toEqual(
      [1, 2].map((n) => ({
        subject: A,
        digest: 'sha256:0',
        predicateType: 'https://x.example/t',
        predicate: { n },
        signer: { kind: 'key', name: 'k', keyId: 'id' },
        known: false,
      })),
    );
  });

  it("of cosign's older signatures are those of its newer ones", () => {
    const claim = claimOf(A, {}, { predicateType: COSIGN_SIGN, payload: new Uint8Array() });
    const [text = ''] = readClaims([{ digest: A, claims: [claim] }]).claims.get(A) ?? [];
    expect(JSON.parse(text)).toMatchObject({ subject: A, predicateType: COSIGN_SIGN, predicate: {} });
  });

  it('whose predicate is not what its type says are told apart', () => {
    const predicateType = 'https://slsa.dev/provenance/v1';
    const payload = Buffer.from(
      statementOf(A, { buildDefinition: 1 }).toString().replace('https://x.example/t', predicateType),
    );
    const { claims, refused } = readClaims([
      { digest: A, claims: [claimOf(A, {}, { predicateType, payload })] },
    ]);
    expect(claims.get(A)).toEqual([]);
    expect(refused).toMatchObject([{ digest: A, source: 'tag x', code: 'PREDICATE' }]);
  });

  it('are at most 256 about an image', () => {
    const many = Array.from({ length: 257 }, (_, n) => claimOf(A, { n }));
    expect(() => readClaims([{ digest: A, claims: many }])).toThrow(/257 claims/);
    expect(readClaims([{ digest: A, claims: many.slice(1) }]).claims.get(A)).toHaveLength(256);
  });
});
