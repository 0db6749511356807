// SPDX-License-Identifier: Apache-2.0
// What the verbs by which people sign have in common: the Project, the key of one of its people, and a file that holds.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AttestError, signStatement } from '../../../attest/index.ts';
import type { KeyUse } from '../../../attest/trust/index.ts';
import { type Environment, environmentNamed } from '../../../engine/context/project.ts';
import {
  isSigned,
  type Predicates,
  readSigned,
  type Signed,
  type StatementKind,
  statementBytes,
  statementId,
} from '../../../engine/people/index.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import type { Args, Flags } from '../../args.ts';
import { UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import { findInstallation } from '../../installation.ts';
import type { Io } from '../../io.ts';
import { findProject } from '../../loading/project.ts';
import { oneLine } from '../../report/text.ts';
import { write } from '../../seal.ts';
import { keyRequest, PASSWORD_FLAG } from '../../signing/flags.ts';
import { openKey } from '../../signing/key.ts';
import { logIn } from './login.ts';
import { type Found, gatherFor, provedFile, statementsFolder, trustOf } from './standing.ts';

/** Flags of every verb that signs. */
export const SIGNING_FLAGS: Flags = {
  env: { value: 'NAME', help: 'the one environment that it is for' },
  key: { value: 'FILE|URI', help: 'private key of one of the people of the Project, or one in a KMS' },
  ...PASSWORD_FLAG,
  login: {
    value: 'browser|device',
    excludes: ['key'],
    help: "sign by the organisation's login instead (login in the Project), in a browser here or on another device",
  },
  project: {
    value: 'FILE',
    help: 'the Project (default countersign.yaml in this folder)',
  },
  out: {
    value: 'FILE',
    help: "where to write it (default: a new file in the Project's folder of statements)",
  },
};

/** Where a person signs. */
export interface Desk {
  readonly found: Found;
  readonly environment: Environment;
  readonly args: Args;
  readonly io: Io;
}

/** @throws {UsageError} where there is no Project, or no environment is chosen */
export function deskOf(args: Args, io: Io): Desk {
  const found = findProject(args.text('project'), openYamlReader(findInstallation().toolchain));
  if (found === undefined)
    throw new UsageError('there is no Project', 'run countersign init, or name one with --project FILE');
  return { found, environment: environmentNamed(found.project, wanted(args, 'env')), args, io };
}

/** The value of a flag that must be given. @throws {UsageError} */
export function wanted(args: Args, name: string): string {
  const value = args.text(name);
  if (value !== undefined) return value;
  throw new UsageError(`--${name} is missing`, 'the verb with --help alone tells what it takes');
}

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const;
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/;

/** The end that `14d`, `2h`, `30m` or a time stands for, RFC 3339. @throws {UsageError} */
export function endOf(flag: string, text: string, now: Date): string {
  const match = /^([1-9]\d{0,3})([dhm])$/.exec(text);
  const unit = match?.[2] === 'd' || match?.[2] === 'h' || match?.[2] === 'm' ? match[2] : undefined;
  const end =
    unit !== undefined
      ? new Date(now.getTime() + Number(match?.[1]) * UNITS_MS[unit])
      : new Date(TIME.test(text) ? text : Number.NaN);
  if (Number.isFinite(end.getTime()) && end > now) return end.toISOString();
  throw new UsageError(
    `--${flag} ${JSON.stringify(text)} is no time to come`,
    'a number of days, hours or minutes (14d, 2h, 30m), or a time such as 2027-01-01T00:00:00Z',
  );
}

/** What is to be signed. */
export interface ToSign<K extends StatementKind> {
  readonly kind: K;
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicate: Predicates[K];
  /** Of a revocation: what is asked of whoever takes that statement back. */
  readonly uses?: ReadonlyMap<string, KeyUse>;
}

/** What was signed, and where it is. */
export interface Written {
  readonly file: string;
  readonly signed: Signed;
}

/**
 * Signs and writes a statement, and only one that the Project will believe: what would count for nothing is not signed at all.
 * `mayStand` may refuse it by who signs, before anything is written.
 * @throws {UsageError} @throws {AttestError} KEY_* | LEDGER_UNAVAILABLE (the file cannot be written)
 * @throws {EngineError} RECORD_SHAPE | RECORD_TOO_LARGE
 */
export async function signAndWrite<K extends StatementKind>(
  { kind, subject, predicate, uses }: ToSign<K>,
  { found, args, io }: Desk,
  mayStand?: (signed: Signed) => void,
): Promise<Written> {
  const bytes = statementBytes(kind, subject, predicate);
  const named = args.text('out');
  // Before anybody is asked for a password or a login.
  if (named === undefined) fileFor(kind, found);
  else refuseExisting(named);
  const text = args.has('login') ? await logIn(bytes, { found, args, io }) : await signByKey(bytes, args, io);
  // By its own bytes: two people may sign the same words in the same moment.
  const file = named ?? fileFor(`${kind}-${statementId(Buffer.from(text)).slice(0, 12)}`, found);
  refuseExisting(file);
  const signed = readSigned(
    await provedFile({ name: file, bytes: Buffer.from(text), isOwn: true }, found.project, io.now()),
    {
      trust: trustOf(found.project),
      people: found.project.people ?? [],
      at: io.now(),
      ...(uses === undefined ? {} : { uses }),
    },
  );
  if (!isSigned(signed))
    throw new AttestError('KEY_MISMATCH', `this ${kind} would not count: ${signed.reason}`, {
      hint: 'name the key under trust.keys with this use and environment, and under the people that it is one of theirs',
    });
  mayStand?.(signed);
  write(file, text, 0o644);
  return { file, signed };
}

/** An envelope with the key's own name in it, so that a reader knows which of theirs to try. */
async function signByKey(bytes: Uint8Array, args: Args, io: Io): Promise<string> {
  wanted(args, 'key');
  const { signer } = await openKey(keyRequest(args), io);
  const { payload, payloadType, signatures } = await signStatement(bytes, signer);
  const envelope = { payload, payloadType, signatures: [{ keyid: signer.keyId, sig: signatures[0].sig }] };
  return `${JSON.stringify(envelope)}\n`;
}

function refuseExisting(file: string): void {
  if (existsSync(file))
    throw new UsageError(`${JSON.stringify(file)} exists`, 'nothing was written: name another file');
}

function fileFor(name: string, found: Found): string {
  const folder = statementsFolder(found);
  if (folder !== undefined) return join(folder, `${name}.json`);
  throw new UsageError(
    'the Project names no folder of statements',
    'say where to write it with --out FILE, or give the Project statements: {directory: signed}',
  );
}

/** A statement that somebody else has signed, and that holds. @throws {AttestError} BUNDLE_SHAPE where it does not */
export async function readHolding(file: string, { found, environment, io }: Desk): Promise<Signed> {
  const source = await provedFile({ ...readSource(file), isOwn: true }, found.project, io.now());
  const read = readSigned(source, {
    trust: trustOf(found.project),
    people: found.project.people ?? [],
    at: io.now(),
  });
  if (!isSigned(read))
    throw new AttestError('BUNDLE_SHAPE', `${JSON.stringify(file)} does not hold: ${read.reason}`);
  const { environment: own } = read.statement.predicate;
  if (own === environment.name) return read;
  throw new UsageError(
    `${JSON.stringify(file)} is for environment ${JSON.stringify(own)}`,
    `--env ${own}, if that is what you mean`,
  );
}

/** Everything signed for the environment of a desk, and what of it counts. */
export const gatherAt = ({ found, environment, args, io }: Desk): ReturnType<typeof gatherFor> =>
  gatherFor({ found, environment, folders: args.list('approvals'), now: io.now() });

/** Foreign text in an answer of one line. */
export const shown = (text: string): string => oneLine(JSON.stringify(text));
