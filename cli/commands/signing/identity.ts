// SPDX-License-Identifier: Apache-2.0
import type { SignedBundle, Signer } from '../../../attest/index.ts';
import type { Witnesses } from '../../../attest/sign/keyless/index.ts';
import type { Args } from '../../args.ts';
import { UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import type { Io } from '../../io.ts';
import { keyRequest } from '../../signing/flags.ts';
import { openKey } from '../../signing/key.ts';

export type { Witnesses } from '../../../attest/sign/keyless/index.ts';

/**
 * Who is to witness the signature, before anything is read or signed.
 * @throws {UsageError} nobody signs, or with a certificate that would be worth nothing in ten minutes
 */
export function witnessesOf(args: Args, verb: string): Witnesses {
  const [url, timestamp] = [args.text('rekor'), args.text('timestamp')];
  const [version, isKeyless] = [versionOf(args), args.has('keyless')];
  const hint = `see countersign ${verb} --help`;
  if (!isKeyless && !args.has('key')) throw new UsageError('--key is missing', `or --keyless; ${hint}`);
  if (version === 2 && !isKeyless)
    throw new UsageError('--rekor-version 2 needs --keyless', 'a log of version 1 takes signatures by a key');
  // A certificate holds for minutes: a verifier has to know that the signature was made in them.
  if (isKeyless && timestamp === undefined && (url === undefined || version === 2))
    throw new UsageError(
      '--keyless needs a time',
      'from --timestamp URL, or from a log whose --rekor-version is 1',
    );
  return {
    ...(url === undefined ? {} : { rekor: { url, version } }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
}

function versionOf(args: Args): 1 | 2 {
  const text = args.text('rekor-version') ?? '1';
  if (text === '1' || text === '2') return text === '1' ? 1 : 2;
  throw new UsageError(`--rekor-version ${JSON.stringify(text)} is not known`, '1 or 2');
}

/** Who signs: the key of `--key`, or one that is made and certified now. @throws {AttestError} */
export async function openSigning(args: Args, io: Io): Promise<Signer> {
  if (!args.has('keyless')) return (await openKey(keyRequest(args), io)).signer;
  const { ambientToken, certify, readToken } = await import('../../../attest/sign/keyless/index.ts');
  const file = args.text('id-token');
  const text =
    file === undefined ? await ambientToken(io.env) : Buffer.from(readSource(file).bytes).toString('utf8');
  return certify(args.text('fulcio') ?? '', readToken(text, io.now()));
}

/** The bundle with what the witnesses said; where there are none, as it is. @throws {AttestError} SIGSTORE_… */
export async function withWitnesses(
  bundle: SignedBundle,
  signer: Signer,
  witnesses: Witnesses,
): Promise<SignedBundle> {
  if (witnesses.rekor === undefined && witnesses.timestamp === undefined) return bundle;
  const { witnessed } = await import('../../../attest/sign/keyless/index.ts');
  return witnessed(bundle, signer, witnesses);
}
