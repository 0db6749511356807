// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { decodeBase64 } from '../base64.ts';
import { AttestError } from '../error.ts';
import { checkpointSigner, isOrigin, noteKeyId, type TrustedRoot, trustedRootOf } from '../log/index.ts';
import { type Envelope, MAX_STATEMENT_BYTES, type Signer } from '../sign/index.ts';
import type { Bundle } from './bundle.ts';
import { createLogKey, databaseFile, fileIdentity, readLogKey } from './files.ts';
import { type Addition, grow } from './grow.ts';
import { openQueue } from './queue.ts';
import { checkStore, recall } from './recall.ts';
import { type Identity, openStore, type Store } from './store.ts';

/** An append-only transparency log of signed statements. */
export interface Ledger {
  /**
   * Adds one envelope; resolves with its whole bundle, and only when that is on disk. Concurrent calls share one commit and one
   * checkpoint. A rejected append is not in the log and may be tried again.
   * Rejects with {AttestError} BUNDLE_SHAPE | LEDGER_UNAVAILABLE | LEDGER_FULL | LEDGER_CORRUPT
   */
  append(envelope: Envelope, signer: Pick<Signer, 'publicKeyDer'>): Promise<Bundle>;
  /** The bundle of entry `index` (from 0) as its append gave it out. @throws {AttestError} LEDGER_CORRUPT | LEDGER_UNAVAILABLE */
  bundle(index: number): Bundle | undefined;
  /** How many entries the file has now, those of other processes included. */
  size(): number;
  /** Every entry from the first on, as many as there are when the walk begins. */
  records(): Iterable<{ readonly index: number; readonly bundle: Bundle }>;
  /** What those who verify records need to know of this log. */
  trustedRoot(): TrustedRoot;
  /** Waits for appends on their way, then closes the file. */
  close(): Promise<void>;
}

/** How a ledger is opened. */
export interface LedgerOptions {
  /** The folder of `ledger.sqlite3` and `ledger.key`; on a local disk. */
  readonly directory: string;
  /** The log's name, a host name in lower case; kept from the ledger's creation on. By default derived from its key. */
  readonly origin?: string;
  readonly now: () => Date;
  /** Whether to make the ledger where there is none. */
  readonly create: boolean;
  /** Largest size of the database file; without it only the disk is the limit. */
  readonly maxBytes?: number;
}

/**
 * Opens a ledger; several processes may have the same one open and append in turn.
 * @throws {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT | LEDGER_FULL | KEY_UNREADABLE | KEY_KIND | KEY_MISMATCH
 */
export function openLedger(options: LedgerOptions): Ledger {
  if (options.origin !== undefined && !isOrigin(options.origin))
    throw new AttestError('LEDGER_UNAVAILABLE', `${JSON.stringify(options.origin)} is not a name for a log`, {
      hint: 'give a host name in lower case, such as ledger.example.org',
    });
  const file = databaseFile(options.directory, options.create);
  const store = openStore(file, options.maxBytes);
  try {
    const identity = store.identity() ?? foundLog(store, options);
    const key = ownKey(options.directory, identity);
    if (options.origin !== undefined && options.origin !== identity.origin)
      throw new AttestError(
        'LEDGER_UNAVAILABLE',
        `this ledger is called ${JSON.stringify(identity.origin)}, not ${JSON.stringify(options.origin)}`,
        { hint: 'a log keeps its name; leave the name out, or open another folder' },
      );
    checkStore(store, identity);
    return ledgerOver(store, { identity, key, file });
  } catch (error) {
    store.close();
    throw error;
  }
}

/** Gives a new ledger its key and its name, or takes those that another process gave it first. */
function foundLog(store: Store, options: LedgerOptions): Identity {
  if (!options.create)
    throw new AttestError('LEDGER_UNAVAILABLE', 'this ledger was never used, its creation did not finish');
  for (let attempt = 0; attempt < 100; attempt++) {
    const founded = store.transact(() => {
      const there = store.identity();
      if (there !== undefined) return there;
      const publicKey = createPublicKey(createLogKey(options.directory)).export({
        type: 'spki',
        format: 'der',
      });
      const origin =
        options.origin ?? `ledger-${hash('sha256', publicKey, 'hex').slice(0, 16)}.countersign.local`;
      const identity = { origin, created: options.now().toISOString(), publicKey };
      store.addIdentity(identity);
      return identity;
    });
    if (founded !== undefined) return founded.value;
  }
  throw new AttestError('LEDGER_UNAVAILABLE', 'another process holds the new ledger');
}

function ownKey(directory: string, identity: Identity): KeyObject {
  const key = readLogKey(directory);
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  if (Buffer.compare(publicKey, identity.publicKey) !== 0)
    throw new AttestError(
      'KEY_MISMATCH',
      `ledger.key in ${JSON.stringify(directory)} is not the key of this ledger`,
      {
        hint: 'restore database and key from the same backup',
      },
    );
  return key;
}

function ledgerOver(
  store: Store,
  { identity, key, file }: { readonly identity: Identity; readonly key: KeyObject; readonly file: string },
): Ledger {
  const publicKey = createPublicKey(key);
  const logId = noteKeyId(identity.origin, publicKey);
  const log = { logId, signCheckpoint: checkpointSigner(identity.origin, key) };
  const opened = fileIdentity(file);
  const queue = openQueue<Addition, Bundle>((batch) => {
    if (fileIdentity(file) !== opened)
      throw new AttestError('LEDGER_UNAVAILABLE', 'the ledger file was replaced while it was open', {
        hint: 'restart this process; what was added to the old file is not in the new one',
      });
    return store.transact(() => grow(store, log, batch))?.value;
  });
  return {
    append: async (envelope, signer) => queue.add(additionOf(envelope, signer)),
    bundle: (index) => recall(store, logId, index),
    size: () => store.size(),
    records: function* () {
      const size = store.size();
      for (let index = 0; index < size; index++) {
        const bundle = recall(store, logId, index);
        if (bundle !== undefined) yield { index, bundle };
      }
    },
    trustedRoot: () => trustedRootOf(identity.origin, publicKey, new Date(identity.created)),
    close: () => queue.close(() => store.close()),
  };
}

/** Reads an envelope before it is queued, so that a bad one fails alone and not its whole batch. */
export function additionOf(envelope: Envelope, signer: Pick<Signer, 'publicKeyDer'>): Addition {
  const payload = decodeBase64(envelope.payload);
  const [only, ...more] = envelope.signatures;
  const signature = decodeBase64(only.sig);
  if (payload === undefined || signature === undefined || signature.length === 0 || more.length > 0)
    throw new AttestError(
      'BUNDLE_SHAPE',
      'the envelope is not one payload with one signature, in standard base64',
    );
  if (payload.length === 0 || payload.length > MAX_STATEMENT_BYTES)
    throw new AttestError('BUNDLE_SHAPE', `the envelope has a payload of ${payload.length} bytes`, {
      hint: `1 to ${MAX_STATEMENT_BYTES} bytes can be recorded`,
    });
  const { payloadType } = envelope;
  return { envelope, entry: { payloadType, payload, signature, publicKey: signer.publicKeyDer } };
}
