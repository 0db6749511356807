// SPDX-License-Identifier: Apache-2.0
import { statSync } from 'node:fs';
import { parseStrict } from '../../../attest/json.ts';
import type { Signed } from '../../../engine/people/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import type { Io } from '../../io.ts';
import { type ShownSet, setOfManifests, setOfRecord, textOfSet } from './set.ts';
import { type Desk, deskOf, endOf, readHolding, SIGNING_FLAGS, shown, signAndWrite } from './signing.ts';

export const approve: Verb = {
  name: 'approve',
  summary: 'Shows what is to be approved and signs that it is: exactly these objects, for one environment.',
  positionals: 'PATH…|RECORD|STATEMENT',
  details: [
    'PATH is manifests, as check takes them; RECORD a decision record, verified first; STATEMENT a waiver, a broken glass or a lock that',
    'somebody else has signed. Without --key it only shows. Whoever asked for a change, or wrote it, never counts, and each person counts once.',
    'Exit code: 0 signed, or shown; 1 the record does not hold; 4 the set could not be evaluated, and nothing is signed.',
  ].join('\n'),
  flags: {
    role: {
      value: 'ROLE',
      help: 'of the rule that it is to count for (default: the one role of the environment that is yours)',
    },
    comment: { value: 'TEXT', help: 'what you want to say' },
    expires: { value: 'TIME', help: 'until when it may be used (default 7d)' },
    previous: {
      value: 'SET.txt',
      help: 'listing of what is there now: shows what is new, other, or to go',
    },
    ...SIGNING_FLAGS,
  },
  run,
};

const FOR_EVER = '9999-12-31T23:59:59Z';

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [path] = args.positionals;
  if (path === undefined)
    throw new UsageError('nothing is named to approve', 'countersign approve PATH… --env NAME --key FILE');
  const desk = deskOf(args, io);
  const kind = args.positionals.length === 1 ? kindOfFile(path) : 'manifests';
  if (kind === 'statement') return approveStatement(path, desk);
  const set = kind === 'record' ? setOfRecord(path, desk) : await setOfManifests(desk);
  if (typeof set === 'string') {
    io.err(`countersign: ${set}\n`);
    return 1;
  }
  io.out(textOfSet(set, args.text('previous')));
  if (set.verdict === 'error') {
    io.err('countersign: it could not be evaluated, so nothing is signed\n');
    return 4;
  }
  if (!args.has('key') && !args.has('login')) {
    io.err('note: nothing is signed without --key or --login\n');
    return 0;
  }
  return sign(set, desk);
}

async function sign(set: ShownSet, desk: Desk): Promise<ExitCode> {
  const { args, io, environment, found } = desk;
  const comment = args.text('comment');
  const now = io.now();
  const { file, signed } = await signAndWrite(
    {
      kind: 'approval',
      subject: [{ name: 'set.txt', digest: { sha256: set.digest } }],
      predicate: {
        environment: environment.name,
        role: roleFor(desk),
        projectDigest: { sha256: found.project.digest },
        time: now.toISOString(),
        expires: endOf('expires', args.text('expires') ?? '7d', now),
        ...(comment === undefined ? {} : { comment }),
      },
    },
    desk,
  );
  io.out(`${file}: ${signed.person} approves sha256:${set.digest} for ${shown(environment.name)}\n`);
  return 0;
}

/** The role that is named, or the only one. @throws {UsageError} */
function roleFor({ args, environment }: Desk): string {
  const roles = [...new Set((environment.approvals ?? []).map(({ role }) => role))];
  const name = JSON.stringify(environment.name);
  if (roles.length === 0)
    throw new UsageError(`environment ${name} asks for no approvals`, 'give it approvals in the Project');
  const role = args.text('role') ?? (roles.length === 1 ? roles[0] : undefined);
  if (role !== undefined && roles.includes(role)) return role;
  throw new UsageError(
    role === undefined
      ? `environment ${name} asks for several roles`
      : `environment ${name} asks for no role ${JSON.stringify(role)}`,
    `--role ${roles.join(' or ')}`,
  );
}

const ROLES = { waiver: 'waiver', 'break-glass': 'review', 'release-lock': 'lock' } as const;

/** The second pair of hands of another person's statement. */
async function approveStatement(path: string, desk: Desk): Promise<ExitCode> {
  const { args, io, environment, found } = desk;
  const target = await readHolding(path, desk);
  if (target.kind === 'approval' || target.kind === 'revocation')
    throw new UsageError(
      `${JSON.stringify(path)} is ${target.kind === 'approval' ? 'an approval' : 'a revocation'}`,
      'approve what it is about',
    );
  const role = ROLES[target.kind];
  const idle = ['role', 'previous'].find((flag) => args.has(flag));
  if (idle !== undefined)
    throw new UsageError(`--${idle} has no effect on a ${target.kind}`, `its role is ${role}`);
  io.out(`${textOfStatement(target)}\n`);
  if (!args.has('key') && !args.has('login')) {
    io.err('note: nothing is signed without --key or --login\n');
    return 0;
  }
  const comment = args.text('comment');
  const end = args.text('expires');
  const last = target.kind === 'waiver' ? target.statement.predicate.expires : FOR_EVER;
  const { file, signed } = await signAndWrite(
    {
      kind: 'approval',
      subject: [{ name: target.kind, digest: { sha256: target.id } }],
      predicate: {
        environment: environment.name,
        role,
        projectDigest: { sha256: found.project.digest },
        time: io.now().toISOString(),
        expires: end === undefined ? last : endOf('expires', end, io.now()),
        ...(comment === undefined ? {} : { comment }),
      },
    },
    desk,
    ({ person }) => {
      if (person !== target.person) return;
      throw new UsageError(`${person} has signed it already`, 'somebody else is to approve it');
    },
  );
  io.out(`${file}: ${signed.person} approves the ${target.kind} of ${target.person}\n`);
  return 0;
}

function textOfStatement({ kind, person, id, statement: { predicate } }: Signed): string {
  const lines = Object.entries(predicate).map(
    ([name, value]) => `    ${name}: ${shown(String(plain(value)))}`,
  );
  return [`${kind} of ${person}, sha256:${id}`, ...lines].join('\n');
}

const plain = (value: unknown): unknown => (typeof value === 'string' ? value : JSON.stringify(value));

/** Told by what an own file always has; anything else is manifests. */
export function kindOfFile(path: string): 'statement' | 'record' | 'manifests' {
  if (!path.endsWith('.json') || statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    return 'manifests';
  const value = Object(parseStrict(readSource(path).bytes)?.value);
  if (Object.hasOwn(value, 'payloadType') && Object.hasOwn(value, 'signatures')) return 'statement';
  return Object.hasOwn(value, 'mediaType') && Object.hasOwn(value, 'dsseEnvelope') ? 'record' : 'manifests';
}
