// SPDX-License-Identifier: Apache-2.0
// Release locks: what is frozen, what is open and to whom. What opens something counts once a second person has approved it.
import { type Document, imagesOf, parseReference, readDocuments } from '../../../engine/manifest/index.ts';
import { imageName, type Lock, type LockEntry, lockFindings } from '../../../engine/people/index.ts';
import { inNamespace, refuseUnrecordable, scopesOf } from '../../../engine/record/listable.ts';
import { listSet } from '../../../engine/record/set.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import type { Args, Flags, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { readManifests } from '../../files.ts';
import { findInstallation } from '../../installation.ts';
import type { Io } from '../../io.ts';
import { oneLine } from '../../report/text.ts';
import { type Desk, deskOf, gatherAt, SIGNING_FLAGS, shown, signAndWrite, wanted } from './signing.ts';

const RELEASE: Flags = { release: { value: 'NAME', help: 'the release that is locked' } };

export const lock: Verb = {
  name: 'lock',
  summary: 'Locks the artefacts of a release: what they are is signed, and no other may take their place.',
  positionals: 'PATH…',
  details: [
    'Locks every image that the manifests name, each by its digest, and with --objects the objects too. What is locked already stays so;',
    'a new digest of it is like opening it, and takes a second person (countersign approve FILE).',
  ].join('\n'),
  flags: {
    ...RELEASE,
    image: { value: 'REF', multiple: true, help: 'an image of no manifest: registry/repository@sha256:…' },
    objects: { help: 'lock the objects too, not only what they run' },
    namespace: { value: 'NAME', help: 'namespace of objects that name none' },
    ...SIGNING_FLAGS,
  },
  run: runLock,
};

async function runLock(args: Args, io: Io): Promise<ExitCode> {
  const desk = deskOf(args, io);
  const release = wanted(args, 'release');
  const documents = await documentsOf(desk, args.has('objects'));
  const entries = [
    ...imageEntries(args, documents),
    ...(args.has('objects') ? objectEntries(documents) : []),
  ];
  if (entries.length === 0)
    throw new UsageError('nothing is named that could be locked', 'countersign lock PATH…, or --image REF');
  const before = await lockOf(desk, release);
  const isNamed = (one: LockEntry): boolean =>
    entries.some(({ kind, name }) => kind === one.kind && name === one.name);
  const kept = (before?.entries ?? []).filter((one) => !isNamed(one));
  return writeLock(desk, { release, before, entries: [...kept, ...entries] });
}

export const unlock: Verb = {
  name: 'unlock',
  summary: 'Opens artefacts of a locked release: to everybody, or to those who have a role.',
  positionals: 'NAME…',
  details:
    'NAME is an artefact as verify lock prints it. It counts once somebody else has signed it with countersign approve FILE.',
  flags: {
    ...RELEASE,
    role: {
      value: 'ROLE',
      multiple: true,
      help: 'who may change it: it takes an approval in one of these roles (default: everybody)',
    },
    ...SIGNING_FLAGS,
  },
  run: runUnlock,
};

async function runUnlock(args: Args, io: Io): Promise<ExitCode> {
  const desk = deskOf(args, io);
  const release = wanted(args, 'release');
  const before = await lockOf(desk, release);
  const names = args.positionals;
  const missing = names.find((name) => before?.entries.every((one) => one.name !== name) !== false);
  if (before === undefined || missing !== undefined || names.length === 0)
    throw new UsageError(
      missing === undefined
        ? 'no artefact is named to be opened'
        : `${JSON.stringify(missing)} is none of the artefacts of release ${JSON.stringify(release)}`,
      'countersign verify lock lists them',
    );
  const roles = args.list('role');
  const entries = before.entries.map((one): LockEntry => {
    if (!names.includes(one.name)) return one;
    const { roles: _before, ...rest } = one;
    return { ...rest, state: 'open', ...(roles.length === 0 ? {} : { roles }) };
  });
  return writeLock(desk, { release, before, entries });
}

async function writeLock(
  desk: Desk,
  { release, before, entries }: { release: string; before: Lock | undefined; entries: readonly LockEntry[] },
): Promise<ExitCode> {
  const { environment, io } = desk;
  const { file, signed } = await signAndWrite(
    {
      kind: 'release-lock',
      subject: entries.map(({ name, digest }) => ({ name, digest })),
      predicate: {
        environment: environment.name,
        release,
        time: io.now().toISOString(),
        entries,
        ...(before === undefined ? {} : { previous: { sha256: before.id } }),
      },
    },
    desk,
  );
  io.out(`${file}: ${signed.person} signs the lock of release ${shown(release)}\n${linesOf(entries)}`);
  const isInForce = (await lockOf(desk, release))?.id === signed.id;
  if (!isInForce)
    io.out(
      `next: countersign approve ${file} --env ${environment.name}, by somebody else: it opens something\n`,
    );
  return 0;
}

/** The lock of a release that is in force. */
const lockOf = async (desk: Desk, release: string): Promise<Lock | undefined> =>
  (await gatherAt(desk)).standing.locks.find((one) => one.release === release);

const linesOf = (entries: readonly LockEntry[]): string =>
  entries
    .map(({ kind, name, digest, state, roles = [] }) => {
      const to = roles.length === 0 ? '' : ` to ${roles.join(' or ')}`;
      return `${state}${to} ${kind} ${oneLine(name)} sha256:${digest.sha256}\n`;
    })
    .join('');

/** @param byName whether objects are told apart by their names, and not images alone */
async function documentsOf({ args, io, found }: Desk, byName: boolean): Promise<readonly Document[]> {
  if (args.positionals.length === 0) return [];
  const reader = openYamlReader(findInstallation().toolchain);
  const read = readDocuments(await readManifests(args.positionals, io), reader);
  const namespace = args.text('namespace');
  const scopes = scopesOf(read, { stated: found.project.customKinds });
  const documents = namespace === undefined ? read : inNamespace(read, namespace, scopes);
  // An object without its namespace has another name than in the cluster, and a lock on it would hold nothing.
  if (byName) refuseUnrecordable(documents, scopes);
  return documents;
}

function imageEntries(args: Args, documents: readonly Document[]): readonly LockEntry[] {
  const found = new Map<string, string>();
  const images = documents.flatMap((document) => imagesOf(document));
  const named = args.list('image').map((ref) => ({ ref, ...parseReference(ref) }));
  for (const { ref, registry, repository, digest } of [...images, ...named]) {
    const name = imageName({ registry, repository });
    const sha256 = /^sha256:([0-9a-f]{64})$/.exec(digest ?? '')?.[1];
    if (sha256 === undefined)
      throw new UsageError(
        `image ${JSON.stringify(ref)} is named without its digest`,
        'what a tag stands for may change: name it with @sha256:…',
      );
    if (found.has(name) && found.get(name) !== sha256)
      throw new UsageError(`image ${JSON.stringify(name)} has two digests`, 'lock one of them');
    found.set(name, sha256);
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, sha256]) => ({ kind: 'image', name, digest: { sha256 }, state: 'locked' }));
}

const objectEntries = (documents: readonly Document[]): readonly LockEntry[] =>
  listSet(documents, false).entries.flatMap(({ id: name, digest }): LockEntry[] =>
    digest === undefined ? [] : [{ kind: 'object', name, digest: { sha256: digest }, state: 'locked' }],
  );

export const verifyLock: Verb = {
  name: 'verify lock',
  summary: 'Shows the locks of an environment that are in force, and whether manifests keep to them.',
  positionals: '[PATH…]',
  details: 'Exit code: 0 they do; 1 a locked artefact is another one, or a lock does not verify.',
  flags: {
    env: { value: 'NAME', help: 'the environment' },
    project: SIGNING_FLAGS['project'] ?? { help: '' },
    namespace: { value: 'NAME', help: 'namespace of objects that name none' },
  },
  run: runVerify,
};

async function runVerify(args: Args, io: Io): Promise<ExitCode> {
  const desk = deskOf(args, io);
  const { standing, notes } = await gatherAt(desk);
  for (const { release, id, entries } of standing.locks)
    io.out(`release ${shown(release)}, sha256:${id}\n${linesOf(entries)}`);
  const change = { phase: 'check', operation: 'CREATE' } as const;
  const holdsObjects = standing.locks.some(({ entries }) => entries.some(({ kind }) => kind === 'object'));
  const documents = await documentsOf(desk, holdsObjects);
  const broken = documents
    .flatMap((document) => lockFindings(document, standing.locks, { change, hasRole: () => false }))
    .filter(({ result }) => result === 'fail');
  for (const text of [...standing.unverified, ...broken.map(({ message }) => message)])
    io.out(`no  ${oneLine(text)}\n`);
  for (const note of notes) io.err(`note: ${oneLine(note)}\n`);
  const holds = standing.unverified.length === 0 && broken.length === 0;
  const count = `${standing.locks.length} ${standing.locks.length === 1 ? 'lock' : 'locks'} in force`;
  io.out(`${count}${documents.length === 0 ? '' : `: ${holds ? 'kept' : 'not kept'}`}\n`);
  return holds ? 0 : 1;
}
