// SPDX-License-Identifier: Apache-2.0
// Temporary ledgers, signers and the records that tests take apart.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Bundle,
  generateKeyPair,
  type Ledger,
  openLedger,
  readSigner,
  type Signer,
  signStatement,
} from '../../attest/index.ts';

export const NOW = new Date('2026-11-24T10:00:00.000Z');
export const PREDICATE_TYPE = 'https://countersign.dev/attestation/deployment-decision/v1';
export const SET_DIGEST = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';

/** A folder that is gone after the test file. */
export function temporaryFolders(): { make: () => string; removeAll: () => void } {
  const folders: string[] = [];
  return {
    make: () => {
      const folder = mkdtempSync(join(tmpdir(), 'countersign-attest-'));
      folders.push(folder);
      return folder;
    },
    removeAll: () => {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const newSigner = (): Signer => readSigner(generateKeyPair().privateKeyPem);

/** The JSON bytes of a small decision; `changes` replaces members of the Statement. */
export function statementBytes(changes: object = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'set.txt', digest: { sha256: SET_DIGEST } }],
      predicateType: PREDICATE_TYPE,
      predicate: { verdict: 'allow' },
      ...changes,
    }),
  );
}

export const open = (directory: string, more: { origin?: string; maxBytes?: number } = {}): Ledger =>
  openLedger({ directory, now: () => NOW, create: true, ...more });

export const appendTo = async (
  ledger: Pick<Ledger, 'append'>,
  signer: Signer,
  statement = statementBytes(),
): Promise<Bundle> => ledger.append(await signStatement(statement, signer), signer);

/** A trust file that believes these keys and logs. */
export function trustOf(keys: readonly object[], ledgers: readonly Ledger[]): object {
  return {
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'Trust',
    keys,
    logs: ledgers.map((ledger) => ledger.trustedRoot()),
  };
}

export const trustedKey = (signer: Signer, more: object = {}): object => ({
  name: 'ci',
  uses: ['record'],
  environments: ['*'],
  publicKey: signer.publicKeyPem,
  ...more,
});
