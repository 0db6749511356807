// SPDX-License-Identifier: Apache-2.0
// People with TEST keys, and what they sign.
import { generateKeyPair, readSigner, signStatement } from '../../../attest/sign/index.ts';
import { readTrust, type Trust } from '../../../attest/trust/index.ts';
import type { Person } from '../../../engine/context/people.ts';
import type { Environment, Project } from '../../../engine/context/project.ts';
import { type Gathered, gather } from '../../../engine/people/gather.ts';
import type { StatementFile } from '../../../engine/people/signed.ts';
import {
  type Predicates,
  type StatementKind,
  statementBytes,
  statementId,
} from '../../../engine/people/statement.ts';
import { projectOf } from '../judge.ts';

export const NOW = new Date('2026-11-24T12:00:00Z');
export const SET = 'a'.repeat(64);
export const PROJECT_DIGEST = 'b'.repeat(64);

/** Carol has two keys, and mallory one that nobody trusts; ed's is trusted and belongs to nobody. */
const PAIRS = Object.fromEntries(
  ['alice', 'bob', 'carol', 'carol-token', 'dave', 'ed', 'mallory'].map((name) => [name, generateKeyPair()]),
);

export const pemOf = (name: string): string => PAIRS[name]?.privateKeyPem ?? '';
export const publicPemOf = (name: string): string => PAIRS[name]?.publicKeyPem ?? '';

export const KEYS = Object.keys(PAIRS)
  .filter((name) => name !== 'mallory')
  .map((name) => ({
    name,
    uses: ['approval', 'waiver', 'break-glass', 'lock'],
    environments: name === 'dave' ? ['staging'] : ['production', 'staging'],
    publicKey: publicPemOf(name),
  }));

export const PEOPLE: readonly Person[] = [
  { name: 'alice', groups: ['payments'], keys: ['alice'] },
  { name: 'bob', groups: ['payments', 'security'], keys: ['bob'] },
  { name: 'carol', groups: ['security'], keys: ['carol', 'carol-token'] },
  { name: 'dave', groups: ['security'], keys: ['dave'] },
];

export const trustOf = (keys: readonly object[] = KEYS): Trust =>
  readTrust({ apiVersion: 'countersign.dev/v1alpha1', kind: 'Trust', keys, logs: [] });

export const PRODUCTION: Environment = {
  name: 'production',
  tier: 'production',
  approvals: [{ role: 'security', count: 1, from: ['security'] }],
  breakGlass: { from: ['alice', 'bob', 'carol'] },
};

export const PROJECT: Project = projectOf({
  digest: PROJECT_DIGEST,
  people: PEOPLE,
  environments: [PRODUCTION],
  waivers: { from: ['security'] },
});

/** Signs bytes as somebody, whatever they are. */
export async function sealed(bytes: Uint8Array, by: string): Promise<Uint8Array> {
  const signer = readSigner(pemOf(by));
  const { payload, payloadType, signatures } = await signStatement(bytes, signer);
  const envelope = { payload, payloadType, signatures: [{ keyid: signer.keyId, sig: signatures[0].sig }] };
  return Buffer.from(JSON.stringify(envelope));
}

let next = 0;

/** One signed statement as a file of the Project's own folder. */
export async function signed<K extends StatementKind>(
  by: string,
  kind: K,
  about: { readonly name?: string; readonly digest: string },
  predicate: Predicates[K],
): Promise<StatementFile & { readonly id: string }> {
  const subject = [{ name: about.name ?? 'set.txt', digest: { sha256: about.digest } }];
  const statement = statementBytes(kind, subject, predicate);
  return {
    name: `signed/${kind}-${next++}.json`,
    bytes: await sealed(statement, by),
    isOwn: true,
    id: statementId(statement),
  };
}

/** An approval of the set, with what is different about it. */
export const approved = (
  by: string,
  parts: Partial<Predicates['approval']> = {},
  digest = SET,
): ReturnType<typeof signed> =>
  signed(
    by,
    'approval',
    { digest },
    {
      environment: 'production',
      role: 'security',
      projectDigest: { sha256: PROJECT_DIGEST },
      time: '2026-11-24T11:00:00Z',
      expires: '2026-12-01T11:00:00Z',
      ...parts,
    },
  );

export function gathered(
  files: readonly StatementFile[],
  parts: { project?: Partial<Project>; environment?: Partial<Environment>; trust?: Trust; at?: Date } = {},
): Gathered {
  return gather(files, {
    project: { ...PROJECT, ...parts.project },
    environment: { ...PRODUCTION, ...parts.environment },
    trust: parts.trust ?? trustOf(),
    at: parts.at ?? NOW,
  });
}
