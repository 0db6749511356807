// SPDX-License-Identifier: Apache-2.0
// Keys, ledger and record files of one state folder. Loaded only where something is signed.

import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  AttestError,
  generateKeyPair,
  type Ledger,
  openLedger,
  readSigner,
  type Signer,
} from '../attest/index.ts';
import { conclude } from '../engine/conclude.ts';
import type { Judgement } from '../engine/index.ts';
import { codeOf } from './cause.ts';
import type { Installation } from './installation.ts';
import type { Io } from './io.ts';

/** Reads the text of a private key. @throws {AttestError} KEY_UNREADABLE */
export function readKeyPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = codeOf(cause);
    throw new AttestError('KEY_UNREADABLE', `cannot read key ${JSON.stringify(file)}: ${code}`, {
      hint: 'countersign init makes one',
      cause,
    });
  }
}

/** Opens the ledger of a state folder, making both where there is none, and keeps the files that verifiers need beside it. */
export function openState(directory: string, signer: Signer, io: Io): Ledger {
  let ledger: Ledger;
  try {
    ledger = openLedger({ directory, now: io.now, create: true });
  } catch (error) {
    throw withFolder(error, directory);
  }
  writeTrust(directory, signer, ledger);
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

/** The private key of a state folder, PEM, made on first use. */
export function stateKey(directory: string): string {
  const file = join(directory, 'key.pem');
  if (!existsSync(file)) {
    makeFolder(directory);
    const pair = generateKeyPair();
    write(file, pair.privateKeyPem, 0o600);
    write(join(directory, 'key.pub'), pair.publicKeyPem, 0o644);
  }
  return readKeyPem(file);
}

/**
 * Writes `trust.json` (for `verify record --trust`) and `trusted_root.json` (for stock cosign) where they are missing. What is
 * there is never changed: who is trusted is the reader's decision, not this program's.
 */
function writeTrust(directory: string, signer: Signer, ledger: Ledger): void {
  const root = ledger.trustedRoot();
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
    const file = join(directory, name);
    if (!existsSync(file)) write(file, `${JSON.stringify(value, null, 2)}\n`, 0o644);
  }
}

/** What one record is written with. */
export interface RecordRequest {
  readonly file: string;
  readonly key: string;
  readonly state: string;
  readonly installation: Installation;
}

/** Concludes a judgement and writes its record, and beside it the listing that the record is about (`FILE.set.txt`). */
export async function writeRecord(judgement: Judgement, request: RecordRequest, io: Io): Promise<void> {
  const signer = readSigner(readKeyPem(request.key));
  const ledger = openState(request.state, signer, io);
  try {
    const { version, opa } = request.installation;
    const bundle = await conclude(judgement, { signer, ledger, engine: { version, opa } }).catch(
      (error: unknown) => {
        throw withFolder(error, request.state);
      },
    );
    write(request.file, `${JSON.stringify(bundle)}\n`, 0o644);
    write(`${request.file}.set.txt`, judgement.set.listing, 0o644);
    io.err(`note: recorded ${judgement.decision.verdict} in ${request.file}\n`);
  } finally {
    await ledger.close();
  }
}

/** Makes the state folder, closed to others. */
export function makeFolder(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw unwritable(directory, cause);
  }
}

/** Writes whole or not at all. What is there and no file (`/dev/null`, a pipe) is left alone: renaming would take its place. */
export function write(file: string, text: string, mode: number): void {
  const temporary = `${file}.${process.pid}.tmp`;
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
