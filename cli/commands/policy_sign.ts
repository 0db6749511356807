// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { refuseForRecords, signStatement } from '../../attest/index.ts';
import { readArchive } from '../../engine/archive/index.ts';
import { readArchiveFile, readBundle } from '../../engine/policy/bundle/index.ts';
import { type Release, releaseStatement } from '../../engine/policy/release/index.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../args.ts';
import { releaseFile } from '../bundles/open.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { findInstallation } from '../installation.ts';
import type { Io } from '../io.ts';
import { write } from '../seal.ts';
import { keyRequest, PASSWORD_FLAG } from '../signing/flags.ts';
import { openKey } from '../signing/key.ts';

export const policySign: Verb = {
  name: 'policy sign',
  summary: 'Releases a bundle: signs its digest with a name, a version and an end.',
  positionals: 'BUNDLE.tar.gz',
  details:
    'Writes BUNDLE.tar.gz.dsse.json, a DSSE envelope that policy push takes along. Who trusts the key for "policy" refuses every other bundle, an older version, and this one after its end.',
  flags: {
    key: { value: 'FILE|URI', help: 'private key (ECDSA P-256: PEM or of cosign, or in a KMS)' },
    ...PASSWORD_FLAG,
    name: { value: 'NAME', help: 'what the bundle is called; versions of one name follow each other' },
    release: { value: 'N', help: 'its version, an integer from 1 that only grows' },
    expires: {
      value: 'TIME',
      help: 'its end: a time such as 2027-01-01T00:00:00Z, or a number of days such as 90d',
    },
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [file, second] = args.positionals;
  if (file === undefined || second !== undefined)
    throw new UsageError(
      'one bundle is wanted',
      'countersign policy sign BUNDLE.tar.gz --key FILE --name NAME --release N --expires 90d',
    );
  const wanted = (name: string): string => {
    const value = args.text(name);
    if (value === undefined)
      throw new UsageError(`--${name} is missing`, 'see countersign policy sign --help');
    return value;
  };
  wanted('key');
  const [name, version, until] = [wanted('name'), wanted('release'), wanted('expires')];
  const archive = readArchiveFile(file);
  const yaml = (): ReturnType<typeof openYamlReader> => openYamlReader(findInstallation().toolchain);
  const { manifest } = await readBundle(file, readArchive(archive, file), { yaml });
  const release: Release = {
    name,
    version: /^\d+$/.test(version) ? Number(version) : Number.NaN,
    expires: endOf(until, io.now()),
    roots: manifest.roots,
    digest: `sha256:${createHash('sha256').update(archive).digest('hex')}`,
  };
  const { signer } = await openKey(keyRequest(args), io);
  refuseForRecords(signer);
  const { payload, payloadType, signatures } = await signStatement(statementOf(release), signer);
  const envelope = { payload, payloadType, signatures: [{ keyid: signer.keyId, sig: signatures[0].sig }] };
  write(releaseFile(file), `${JSON.stringify(envelope)}\n`, 0o644);
  io.out(`${releaseFile(file)}: ${name} version ${release.version}, until ${release.expires}\n`);
  return 0;
}

const DAY_MS = 24 * 60 * 60 * 1000;

function endOf(text: string, now: Date): string {
  const days = /^([1-9]\d{0,3})d$/.exec(text)?.[1];
  return days === undefined ? text : new Date(now.getTime() + Number(days) * DAY_MS).toISOString();
}

function statementOf(release: Release): Uint8Array {
  try {
    return releaseStatement(release);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new UsageError(cause.message, 'see countersign policy sign --help');
  }
}
