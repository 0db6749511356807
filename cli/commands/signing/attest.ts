// SPDX-License-Identifier: Apache-2.0
import { makeStatement, type Signer, signAttestation, signStatement } from '../../../attest/index.ts';
import type { Args, Verb } from '../../args.ts';
import { REGISTRY_FLAGS } from '../../bundles/flags.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import type { Io } from '../../io.ts';
import { openState } from '../../seal.ts';
import { SIGNING_FLAGS } from '../../signing/flags.ts';
import { writeBundle } from './artefact.ts';
import { openSigning, type Witnesses, withWitnesses, witnessesOf } from './identity.ts';
import { push, subjectOf } from './subject.ts';

export const attest: Verb = {
  name: 'attest',
  summary: 'Attests something of an image or a file: signs a predicate, and attaches it to the image.',
  positionals: 'IMAGE|FILE|sha256:HEX',
  details:
    'An in-toto Statement v1 in a Sigstore bundle. For an image (registry/repository:tag, or with @sha256:…) it is pushed beside it, where cosign verify-attestation finds it; for a file or a digest it is written to --bundle, or printed.',
  flags: {
    predicate: { value: 'FILE', help: 'JSON object that is attested, taken as it is written' },
    type: {
      value: 'URI',
      help: 'what the predicate is: a URI, or slsaprovenance, slsaprovenance1, spdx, cyclonedx, vuln, link, openvex',
    },
    ...SIGNING_FLAGS,
    bundle: { value: 'FILE', help: 'where to write the bundle (default: stdout; of an image: nowhere)' },
    state: {
      value: 'DIR',
      excludes: ['keyless', 'rekor', 'timestamp'],
      help: 'folder of a ledger that the attestation is added to, so that its bundle proves that it is there',
    },
    ...REGISTRY_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [target, more] = args.positionals;
  const [predicate, type] = [args.text('predicate'), args.text('type')];
  if (target === undefined || more !== undefined)
    throw new UsageError(
      'one image, file or digest is wanted',
      'countersign attest IMAGE --predicate FILE --type URI --key FILE',
    );
  if (predicate === undefined || type === undefined)
    throw new UsageError(
      `--${predicate === undefined ? 'predicate' : 'type'} is missing`,
      'see countersign attest --help',
    );
  const witnesses = witnessesOf(args, 'attest');
  const { bytes } = readSource(predicate);
  const subject = await subjectOf(target, args, io);
  const statement = makeStatement(subject, type, bytes);
  const signer = await openSigning(args, io);
  const file = args.text('bundle');
  const make = (): Promise<object> =>
    bundleOf(statement, signer, { state: args.text('state'), witnesses, io });
  const { image } = subject;
  if (image === undefined) {
    await writeBundle(file, make, io);
    return 0;
  }
  const bundle = file === undefined ? await make() : await writeBundle(file, make, io);
  io.out(`${await push(image, { bundle, predicateType: typeIn(statement) })}\n`);
  return 0;
}

interface Way {
  readonly state: string | undefined;
  readonly witnesses: Witnesses;
  readonly io: Io;
}

/** With a ledger the bundle is its entry, as a record's is. */
async function bundleOf(
  statement: Uint8Array,
  signer: Signer,
  { state, witnesses, io }: Way,
): Promise<object> {
  if (state === undefined) return withWitnesses(await signAttestation(statement, signer), signer, witnesses);
  const ledger = openState(state, signer, io);
  try {
    return await ledger.append(await signStatement(statement, signer), signer);
  } finally {
    await ledger.close();
  }
}

/** The whole URI, where a short name was given. */
function typeIn(statement: Buffer): string {
  const { predicateType }: { readonly predicateType: string } = JSON.parse(statement.toString('utf8'));
  return predicateType;
}
