// SPDX-License-Identifier: Apache-2.0
import { signArtefact } from '../../../attest/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { keyRequest, SIGNING_FLAGS } from '../../signing/flags.ts';
import { openKey } from '../../signing/key.ts';
import { readArtefact, writeBundle } from './artefact.ts';

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
  if (!args.has('key')) throw new UsageError('--key is missing', 'see countersign sign --help');
  const bytes = readArtefact(file);
  const { signer } = await openKey(keyRequest(args), io);
  const bundle = args.text('bundle');
  await writeBundle(bundle, () => signArtefact(bytes, signer), io);
  if (bundle !== undefined) io.err(`note: signed ${file} with ${signer.fingerprint}, in ${bundle}\n`);
  return 0;
}
