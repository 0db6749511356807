// SPDX-License-Identifier: Apache-2.0

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  type AttestationQuestion,
  type AttestationVerdict,
  type Claim,
  type ClaimSigner,
  verifyAttestation,
} from '../../../attest/index.ts';
import { EngineError } from '../../../engine/index.ts';
import type { Args, Verb } from '../../args.ts';
import { codeOf } from '../../cause.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import type { Io } from '../../io.ts';
import { visible } from '../../report/text.ts';
import { askedOf, PROOF_FLAGS } from './asked.ts';

export const verifyBundleVerb: Verb = {
  name: 'verify bundle',
  summary:
    'Verifies a Sigstore bundle: who signed an artifact or an attestation about it, and what that says.',
  positionals: 'ARTIFACT|sha256:HEX',
  details:
    'ARTIFACT is a file, or only its digest where the bundle holds an attestation; the digest must be a subject of it.\nExit code: 0 verified; 1 not verified; 2 and above: no answer, 5 where proof cannot be had.',
  flags: {
    bundle: { value: 'FILE', help: 'the Sigstore bundle, v0.1 to v0.3' },
    ...PROOF_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [artifact, more] = args.positionals;
  if (artifact === undefined || more !== undefined)
    throw new UsageError('one artifact or digest is wanted', USAGE);
  const file = args.text('bundle');
  if (file === undefined) throw new UsageError('--bundle is missing', USAGE);
  const format = args.text('format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are text, json');
  const subject = subjectOf(artifact);
  const { bytes } = readSource(file);
  const verdict = verifyAttestation(bytes, { ...(await askedOf(args, io)), ...subject });
  if (!verdict.verified && verdict.code === 'ARTIFACT')
    throw new UsageError(
      'the bundle signs the bytes of a file, and only a digest was given',
      'name the file itself',
    );
  io.out(format === 'json' ? jsonOf(artifact, file, verdict) : textOf(artifact, verdict));
  return verdict.verified ? 0 : 1;
}

const USAGE = 'countersign verify bundle ARTIFACT --bundle FILE --identity ID --issuer URL';

/** A digest as such, or a file with its own. */
function subjectOf(artifact: string): Pick<AttestationQuestion, 'subject' | 'artifact'> {
  if (artifact.startsWith('sha256:')) {
    const digest = /^sha256:([0-9a-f]{64})$/.exec(artifact)?.[1];
    if (digest === undefined)
      throw new UsageError(
        `${JSON.stringify(artifact)} is no digest`,
        'write sha256: and 64 digits of lower-case hex',
      );
    return { subject: { algorithm: 'sha256', digest } };
  }
  const bytes = readArtifact(artifact);
  return { subject: { algorithm: 'sha256', digest: hash('sha256', bytes) }, artifact: bytes };
}

function readArtifact(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new EngineError('INPUT_UNREADABLE', `cannot read ${JSON.stringify(path)}: ${codeOf(cause)}`, {
      cause,
      hint: 'name a file, or its digest as sha256:HEX',
    });
  }
}

function jsonOf(artifact: string, bundle: string, verdict: AttestationVerdict): string {
  const head = { artifact, bundle, verified: verdict.verified };
  const result = verdict.verified
    ? { ...head, claims: [shown(verdict.claim)] }
    : { ...head, code: verdict.code, message: verdict.message, claims: [] };
  return `${JSON.stringify(result, null, 2)}\n`;
}

/** Without the signed bytes, which the bundle has. */
function shown({ payload: _, ...claim }: Claim): Omit<Claim, 'payload'> {
  return claim;
}

function textOf(artifact: string, verdict: AttestationVerdict): string {
  const lines = verdict.verified
    ? ['verified', ...sentences(verdict.claim).map((line) => `  ${line}`)]
    : [`not verified: ${verdict.message} [${verdict.code}]`];
  return `${visible(`${artifact}: ${lines.join('\n')}`)}\n`;
}

function sentences({ subject, predicateType, signer, at }: Claim): string[] {
  return [
    `subject ${subject}`,
    signer.kind === 'key'
      ? `signed with key ${signer.keyId}`
      : `signed by ${signer.identity} of ${signer.issuer}`,
    ...buildLines(signer),
    at === undefined ? 'signed at a time that nothing proves' : `signed at ${at}`,
    predicateType === undefined ? 'says nothing of the file' : `says ${predicateType}`,
  ];
}

/** What the certificate says of the build, if anything. */
export const buildLines = (signer: ClaimSigner): readonly string[] =>
  signer.kind === 'keyless'
    ? Object.entries(signer.build ?? {}).map(([member, text]) => `certificate: ${member} ${text}`)
    : [];
