// SPDX-License-Identifier: Apache-2.0
import { signArtefact } from '../../../attest/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { SIGNING_FLAGS } from '../../signing/flags.ts';
import { readArtefact, writeBundle } from './artefact.ts';
import { openSigning, withWitnesses, witnessesOf } from './identity.ts';

export const sign: Verb = {
  name: 'sign',
  summary: 'Signs a file: a Sigstore bundle with a signature over its bytes.',
  positionals: 'FILE',
  details:
    'cosign verify-blob and countersign verify bundle read the bundle. Without --bundle it is printed. A key in a KMS is awskms://, gcpkms://, azurekms:// or hashivault://.',
  flags: {
    ...SIGNING_FLAGS,
    bundle: { value: 'FILE', help: 'where to write the bundle (default: stdout)' },
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [file, more] = args.positionals;
  if (file === undefined || more !== undefined)
    throw new UsageError('one file is wanted', 'countersign sign FILE --key FILE --bundle FILE');
  const witnesses = witnessesOf(args, 'sign');
  const bytes = readArtefact(file);
  const signer = await openSigning(args, io);
  const bundle = args.text('bundle');
  await writeBundle(
    bundle,
    async () => withWitnesses(await signArtefact(bytes, signer), signer, witnesses),
    io,
  );
  const by = signer.certificate === undefined ? signer.fingerprint : 'a certificate of this job';
  if (bundle !== undefined) io.err(`note: signed ${file} with ${by}, in ${bundle}\n`);
  return 0;
}
