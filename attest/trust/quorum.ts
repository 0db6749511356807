// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import type { SignerPolicy } from './signers.ts';

/** How many of which signers must have signed. People are counted, by the reader's name for them; not keys, not signatures. */
export interface Quorum {
  readonly threshold: number;
  readonly signers: readonly SignerPolicy[];
}

/**
 * Reads `{threshold, signers: [name…]}` against the signers that the reader trusts for this. Refused are a threshold that is no whole
 * number from 1 to the number of names (zero would be met by nobody, CVE-2026-23992), names that are unknown or stand twice, patterns,
 * which stand for nobody in particular, and one key or identity under two names.
 * @throws {AttestError} TRUST_SHAPE
 */
export function readQuorum(stated: unknown, trusted: readonly SignerPolicy[]): Quorum {
  const { threshold, signers: names } = membersOf(stated);
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw shape('the signers of a quorum are no list of names');
  const distinct = new Set<string>(names);
  if (distinct.size !== names.length) throw shape('the signers of a quorum have a name twice');
  if (
    typeof threshold !== 'number' ||
    !Number.isInteger(threshold) ||
    threshold < 1 ||
    threshold > distinct.size
  )
    throw shape(`the threshold is no whole number from 1 to ${distinct.size}, the number of signers`);
  const signers = trusted.filter(({ name }) => distinct.has(name));
  const unknown = [...distinct].find((name) => !signers.some((signer) => signer.name === name));
  if (unknown !== undefined) throw shape(`no trusted signer has the name ${JSON.stringify(unknown)}`);
  refuseShared(signers);
  return { threshold, signers };
}

function membersOf(stated: unknown): { readonly threshold?: unknown; readonly signers?: unknown } {
  if (typeof stated !== 'object' || stated === null) throw shape('a quorum is no object');
  const unknown = Object.keys(stated).find((name) => name !== 'threshold' && name !== 'signers');
  if (unknown !== undefined) throw shape(`a quorum has no member ${JSON.stringify(unknown)}`);
  return { ...stated };
}

/** One signature must not be two votes, whichever of two names it is counted under (go-tuf GHSA-3633-5h82-39pq). */
function refuseShared(signers: readonly SignerPolicy[]): void {
  const names = new Map<string, string>();
  for (const signer of signers) {
    const credential = credentialOf(signer);
    const name = names.get(credential) ?? signer.name;
    if (name !== signer.name)
      throw shape(`${JSON.stringify(name)} and ${JSON.stringify(signer.name)} are one key or one identity`);
    names.set(credential, name);
  }
}

function credentialOf(signer: SignerPolicy): string {
  if (signer.kind === 'key') return `key ${signer.key.id}`;
  if (typeof signer.identity !== 'string')
    throw shape(`the pattern ${JSON.stringify(signer.identity.glob)} stands for nobody in particular`);
  return `identity ${JSON.stringify([signer.issuer, signer.identity])}`;
}

const shape = (message: string): AttestError =>
  new AttestError('TRUST_SHAPE', message, {
    hint: 'write {"threshold": 2, "signers": ["alice", "bob", "carol"]} with names of the trust file',
  });
