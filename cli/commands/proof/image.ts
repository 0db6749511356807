// SPDX-License-Identifier: Apache-2.0
import {
  type ImageClaim,
  type ImageDigest,
  type Proved,
  proveImage,
  type Refused,
  resolveImage,
} from '../../../attest/image/index.ts';
import type { RegistryAccess } from '../../../attest/oci/index.ts';
import { nameOf } from '../../../engine/attested.ts';
import { parseReference } from '../../../engine/manifest/reference.ts';
import type { Args, Flag, Verb } from '../../args.ts';
import { bundleSettings, REGISTRY_FLAGS } from '../../bundles/flags.ts';
import { registryAccess } from '../../bundles/registry.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { withProgress } from '../../report/progress.ts';
import { oneLine } from '../../report/text.ts';
import { askedOf, PROOF_FLAGS } from './asked.ts';
import { buildLines } from './bundle.ts';

/** The registry is where an image is: it is asked in any case. */
const OFFLINE: Flag = {
  excludes: ['trusted-root'],
  help: 'speak with the registry alone: the trusted root that was good last, or the one that came with the program',
};

export const verifyImageVerb: Verb = {
  name: 'verify image',
  summary: 'Verifies what is attached to an image in its registry: who signed it, or attested what about it.',
  positionals: 'REGISTRY/REPOSITORY@sha256:HEX',
  details: [
    'Looked at are the referrers of the digest and what stands under the tags of cosign. A tag is resolved once, and its digest is printed: deploy that.',
    'Exit code: 0 something holds (of the --type, where one is given); 1 nothing does; 2 and above: no answer, 5 where proof cannot be had.',
  ].join('\n'),
  flags: { ...PROOF_FLAGS, offline: OFFLINE, ...REGISTRY_FLAGS },
  run,
};

/** All requests about one image. */
const TIMEOUT_MS = 60_000;

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [text, more] = args.positionals;
  if (text === undefined || more !== undefined) throw new UsageError('one image is wanted', USAGE);
  const format = args.text('format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are text, json');
  const named = namedBy(text);
  const { predicateType, ...asked } = await askedOf(args, io);
  const question = { ...asked, ...(predicateType === undefined ? {} : { types: [predicateType] }) };
  const { image, proved } = await withProgress(io, 'fetching attestations', async () => {
    const access = { ...registryAccess(bundleSettings(args, io)), signal: AbortSignal.timeout(TIMEOUT_MS) };
    const image = await imageOf(named, access, io);
    return { image, proved: await proveImage(image, question, access) };
  });
  io.out(format === 'json' ? jsonOf(image, proved) : textOf(image, proved));
  return proved.claims.length > 0 ? 0 : 1;
}

const USAGE = 'countersign verify image REGISTRY/REPOSITORY@sha256:… --identity ID --issuer URL';

type Named = Omit<ImageDigest, 'digest'> & { readonly tag: string; readonly digest?: string };

/** An image as runtimes read it, or with `oci://` before it. */
function namedBy(text: string): Named {
  const { registry, repository, tag, digest } = parseReference(text.replace(/^oci:\/\//, ''));
  const isOther = digest !== undefined && !digest.startsWith('sha256:');
  if (registry === '' || isOther)
    throw new UsageError(`${JSON.stringify(text)} is no image with a SHA-256`, USAGE);
  return {
    registry: registry.toLowerCase(),
    repository,
    tag: tag ?? 'latest',
    ...(digest === undefined ? {} : { digest }),
  };
}

/** What the tag stands for is asked once: everything after goes by the digest. */
async function imageOf(named: Named, access: RegistryAccess, io: Io): Promise<ImageDigest> {
  const { registry, repository, tag, digest } = named;
  if (digest !== undefined) return { registry, repository, digest };
  const name = `${registry}/${repository}:${tag}`;
  const { digest: found } = await resolveImage({ registry, repository, tag, name }, access);
  io.err(`note: ${name} stands for ${found} now, and may stand for another one later\n`);
  return { registry, repository, digest: found };
}

function jsonOf(image: ImageDigest, { claims, refused }: Proved): string {
  const result = {
    image: nameOf(image),
    verified: claims.length > 0,
    claims: claims.map(({ payload: _, ...claim }) => claim),
    refused,
  };
  return `${JSON.stringify(result, null, 2)}\n`;
}

function textOf(image: ImageDigest, { claims, refused }: Proved): string {
  const lines = [
    `${nameOf(image)}: ${claims.length > 0 ? 'verified' : 'not verified: nothing that is attached to it holds'}`,
    ...claims.flatMap(linesOf),
    ...refused.map(lineOf),
  ];
  return lines.map((line) => `${oneLine(line)}\n`).join('');
}

function linesOf({ predicateType, signer, at, source }: ImageClaim): string[] {
  const who =
    signer.kind === 'key'
      ? `signed with key ${signer.keyId}`
      : `signed by ${signer.identity} of ${signer.issuer}`;
  const when = at === undefined ? 'at a time that nothing proves' : `at ${at}`;
  const build = buildLines(signer).map((line) => `      ${line}`);
  return [`  ok  says ${predicateType}`, `      ${who}, ${when}`, ...build, `      ${source}`];
}

const lineOf = ({ source, code, reason }: Refused): string =>
  `  no  ${source}: ${reason}${code === undefined ? '' : ` [${code}]`}`;
