// SPDX-License-Identifier: Apache-2.0
// Keys, ledger and record files of one state folder. Loaded only where something is signed.

import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  AttestError,
  type Bundle,
  generateKeyPair,
  type Ledger,
  openLedger,
  readSigner,
  refuseForRecords,
  type Signer,
  type TrustedRoot,
} from '../attest/index.ts';
import { conclude } from '../engine/conclude.ts';
import type { Judgement } from '../engine/index.ts';
import { packPolicy } from '../engine/parts.ts';
import type { Policy } from '../engine/policy/index.ts';
import type { Kept } from '../engine/replay/kept.ts';
import { codeOf } from './cause.ts';
import type { Installation } from './installation.ts';
import type { Io } from './io.ts';
import { policyItem, putInputs } from './ledger/keeping.ts';
import type { LedgerPlace } from './ledger/place.ts';
import { type OpenedKey, readKeyPem } from './signing/key.ts';

/**
 * Opens the ledger of a state folder for what this key signs, making both where there is none, and keeps the files that verifiers
 * need beside it.
 * @throws {AttestError} KEY_KIND | LEDGER_…
 */
export function openState(directory: string, signer: Signer, io: Io): Ledger {
  refuseForRecords(signer);
  makeFolder(directory);
  let ledger: Ledger;
  try {
    ledger = openLedger({ directory, now: io.now, create: true });
  } catch (error) {
    throw withFolder(error, directory);
  }
  writeTrust(directory, signer, ledger.trustedRoot());
  return ledger;
}

/**
 * Opens the ledger of a place for what this key signs, and makes it where there is none. The driver of a database is loaded only for one.
 * Rejects with {AttestError} KEY_KIND | KEY_… | LEDGER_…
 */
export async function openPlace(
  { state, url }: LedgerPlace,
  signer: Signer,
  io: Io,
): Promise<Pick<Ledger, 'append' | 'close'>> {
  if (url === undefined) return openState(state, signer, io);
  refuseForRecords(signer);
  makeFolder(state);
  const { openPostgresLedger } = await import('../attest/ledger/postgres/index.ts');
  const ledger = await openPostgresLedger({ url, directory: state, now: io.now, create: true });
  writeTrust(state, signer, ledger.trustedRoot());
  return ledger;
}

/** The ledger's errors do not name its folder; whoever chose it by a flag, or by none, wants to know which. */
function withFolder(error: unknown, directory: string): unknown {
  if (!(error instanceof AttestError)) return error;
  const { code, message, hint } = error;
  return new AttestError(code, `${message}, in ${JSON.stringify(directory)}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The private key of a state folder, PEM, made on first use; of two processes that make it at once the first one's is that of both. */
export function stateKey(directory: string, io: Io): string {
  const file = join(directory, 'key.pem');
  if (!existsSync(file)) {
    makeFolder(directory);
    writeNew(file, generateKeyPair().privateKeyPem, 0o600);
  }
  const pem = readKeyPem(file, io);
  writeNew(join(directory, 'key.pub'), readSigner(pem).publicKeyPem, 0o644);
  return pem;
}

/**
 * Writes `trust.json` (for `verify record --trust`) and `trusted_root.json` (for stock cosign) where they are missing. What is
 * there is never changed: who is trusted is the reader's decision, not this program's.
 */
export function writeTrust(directory: string, signer: Signer, root: TrustedRoot): void {
  const trust = {
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'Trust',
    keys: [{ name: 'local', uses: ['record'], environments: ['*'], publicKey: signer.publicKeyPem }],
    logs: [root],
  };
  for (const [name, value] of [
    ['trust.json', trust],
    ['trusted_root.json', root],
  ] as const) {
    writeNew(join(directory, name), `${JSON.stringify(value, null, 2)}\n`, 0o644);
  }
}

/** What one record is written with. */
export interface RecordRequest {
  readonly file: string;
  readonly key: () => Promise<OpenedKey>;
  readonly place: LedgerPlace;
  readonly installation: Installation;
  /** What it was decided by. */
  readonly policies: readonly Policy[];
}

/**
 * Concludes a judgement and writes its record, and beside it the listing that the record is about (`FILE.set.txt`). The files are
 * made first, under other names: a record in the ledger that could not be written is one that nobody can fetch.
 * @throws {AttestError} RECORD_UNWRITABLE  before anything is signed
 */
export async function writeRecord(judgement: Judgement, request: RecordRequest, io: Io): Promise<void> {
  const { signer } = await request.key();
  refuseForRecords(signer);
  const record = reserve(request.file, isBundle);
  try {
    const listing = reserve(`${request.file}.set.txt`, isListing);
    try {
      const bundle = await append(judgement, signer, request, io);
      record.write(`${JSON.stringify(bundle)}\n`);
      listing.write(judgement.set.listing);
    } finally {
      listing.drop();
    }
  } finally {
    record.drop();
  }
  io.err(`note: recorded ${judgement.decision.verdict} in ${request.file}\n`);
}

async function append(
  judgement: Judgement,
  signer: Signer,
  { place, installation: { version, opa }, policies }: RecordRequest,
  io: Io,
): Promise<Bundle> {
  const ledger = await openPlace(place, signer, io);
  const { environment, time } = judgement.decision;
  const about = environment === undefined ? { time } : { time, environment };
  const keep = async ({ digest, bytes }: Kept): Promise<void> =>
    putInputs(place.state, [
      ...policies.map((policy) => policyItem(packPolicy(policy), time)),
      { kind: 'input', digest, bytes, ...about },
    ]);
  try {
    return await conclude(judgement, { signer, ledger, engine: { version, opa }, keep });
  } catch (error) {
    throw withFolder(error, place.state);
  } finally {
    await ledger.close();
  }
}

// What may be written over: an earlier record and its listing, or an empty file. Not the key, the manifest or the Project, which
// a slip of the hand may name as well.
export const isBundle = (text: string): boolean =>
  text === '' || text.startsWith('{"mediaType":"application/vnd.dev.sigstore.bundle');
export const isListing = (text: string): boolean => /^(?:(?:[0-9a-f]{64}|-) {2}.+\n)*$/.test(text);

/** Makes a file under another name beside its own, which `write` fills and moves there; `drop` takes away what was not. */
export function reserve(
  file: string,
  mayReplace: (text: string) => boolean,
): { readonly write: (text: string) => void; readonly drop: () => void } {
  const temporary = temporaryOf(file);
  try {
    const there = statSync(file, { throwIfNoEntry: false });
    if (there !== undefined && !(there.isFile() && mayReplace(readFileSync(file, 'utf8'))))
      throw Object.assign(new Error(), { code: 'what is there is not from an earlier run' });
    writeFileSync(temporary, '', { mode: 0o644, flag: 'wx' });
  } catch (cause) {
    throw new AttestError('RECORD_UNWRITABLE', `cannot write ${JSON.stringify(file)}: ${codeOf(cause)}`, {
      hint: 'nothing was signed: name a file that does not exist, in a folder that can be written',
      cause,
    });
  }
  return {
    write: (text) => {
      try {
        writeFileSync(temporary, text, { flush: true });
        renameSync(temporary, file);
      } catch (cause) {
        throw unwritable(file, cause);
      }
    },
    drop: () => rmSync(temporary, { force: true }),
  };
}

/** Makes the state folder, closed to others. */
export function makeFolder(directory: string): void {
  try {
    if (existsSync(directory)) return;
    makeFolder(dirname(resolve(directory)));
    makeOne(directory);
  } catch (cause) {
    throw cause instanceof AttestError ? cause : unwritable(directory, cause);
  }
}

/** Not `recursive`: Node's own call never returns where a folder cannot be made, as below /proc. */
function makeOne(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (cause) {
    if (!existsSync(directory)) throw cause; // another process may have made it
  }
}

/** Writes whole, where there is nothing yet; what is there stays, also what another process has just written. */
function writeNew(file: string, text: string, mode: number): void {
  if (existsSync(file)) return;
  const temporary = temporaryOf(file);
  try {
    writeFileSync(temporary, text, { mode, flag: 'wx', flush: true });
    linkSync(temporary, file);
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST' || !existsSync(file)) throw unwritable(file, cause);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Not by the process id: two containers on one volume may both be process 1. */
const temporaryOf = (file: string): string => `${file}.${randomBytes(6).toString('hex')}.tmp`;

/** Writes whole or not at all. What is there and no file (`/dev/null`, a pipe) is left alone: renaming would take its place. */
export function write(file: string, text: string, mode: number): void {
  const temporary = temporaryOf(file);
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
      throw Object.assign(new Error(), { code: 'it is no file' });
    writeFileSync(temporary, text, { mode });
    renameSync(temporary, file);
  } catch (cause) {
    throw unwritable(file, cause);
  }
}

function unwritable(path: string, cause: unknown): AttestError {
  const code = codeOf(cause);
  return new AttestError('LEDGER_UNAVAILABLE', `cannot write ${JSON.stringify(path)}: ${code}`, {
    hint: 'check that the folder can be written and has room',
    cause,
  });
}
