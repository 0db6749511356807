// SPDX-License-Identifier: Apache-2.0
import {
  AttestError,
  type Ledger,
  openLedger,
  openRecorder,
  openSpool,
  type Recorder,
  type Signer,
  type SpoolEvent,
  signStatement,
  watchLedger,
} from '../../attest/index.ts';
import { openPostgresLedger, type PostgresLedger } from '../../attest/ledger/postgres/index.ts';
import type { Io } from '../io.ts';
import { openState, writeTrust } from '../seal.ts';
import type { OpenedKey } from '../signing/key.ts';
import { type Indexing, startIndexing } from './indexing.ts';
import { type LedgerPlace, openRows } from './place.ts';

/** Where a server's records go. */
export interface Recording {
  /** Signs and appends; resolves when the record is on disk, in the ledger or in the spool. Rejects with {AttestError} as a recorder does */
  record(statement: Uint8Array): Promise<{ readonly recordId: string }>;
  /** What keeps the ledger from taking records, as far as that is seen without trying. */
  trouble(): readonly string[];
  close(): Promise<void>;
}

/** What a recording needs besides its place. */
export interface RecordingOptions extends OpenedKey {
  readonly io: Io;
}

/**
 * Opens the ledger once, so that one that cannot be used is an error before anything is listened to; with a spool, one that is only
 * not there now is none. Rejects with {AttestError} LEDGER_* | KEY_*
 */
export async function openRecording(place: LedgerPlace, options: RecordingOptions): Promise<Recording> {
  const { signer } = options;
  const parts = place.url === undefined ? fileParts(place, options) : databaseParts(place, options);
  const size = await sizeAtStart(place, parts, options.io);
  const indexing = startIndexing(place, options.io);
  if (place.spool === undefined) return plainRecording(parts.recorder(), place, indexing);
  const spool = openSpool({
    recorder: parts.recorder(),
    signer,
    size,
    directory: place.spool,
    openLedger: parts.open,
    openRows: () => openRows(place),
    onEvent: (event) => {
      options.io.err(`${JSON.stringify(lineOf(event))}\n`);
      // They came all at once, and late.
      if (event.what === 'drained') void indexing.now();
    },
  });
  return {
    record: async (statement) => {
      const taken = await spool.record(statement);
      indexing.touch();
      return { recordId: 'logIndex' in taken ? String(taken.logIndex) : `spooled-${taken.spooled}` };
    },
    trouble: () => {
      const damage = spool.damage();
      return damage === undefined ? [] : [damage.message];
    },
    close: async () => {
      await spool.close();
      await indexing.stop();
    },
  };
}

/** How the ledger of a place is opened, and recorded to. */
interface Parts {
  /** Opens it, makes it where there is none, and keeps beside it what verifiers need. */
  readonly first: () => Promise<number>;
  readonly open: () => Promise<Pick<Ledger, 'append' | 'close'>>;
  readonly recorder: () => Recorder;
}

function fileParts({ state }: LedgerPlace, { signer, source, io }: RecordingOptions): Parts {
  return {
    first: async () => {
      const ledger = openState(state, signer, io);
      const size = ledger.size();
      await ledger.close();
      return size;
    },
    open: async () => openLedger({ directory: state, now: io.now, create: false }),
    recorder: () => openRecorder({ directory: state, key: source }),
  };
}

function databaseParts({ state, url = '' }: LedgerPlace, { signer, io }: RecordingOptions): Parts {
  const open = (create: boolean): Promise<PostgresLedger> =>
    openPostgresLedger({ url, directory: state, now: io.now, create });
  return {
    first: async () => {
      const ledger = await open(true);
      writeTrust(state, signer, ledger.trustedRoot());
      const size = await ledger.size();
      await ledger.close();
      return size;
    },
    open: () => open(false),
    recorder: () => lateRecorder(() => open(false), signer),
  };
}

/** A recorder over a ledger that is opened when it is first wanted, and again where that failed. */
function lateRecorder(open: () => Promise<Pick<Ledger, 'append' | 'close'>>, signer: Signer): Recorder {
  let opening: Promise<Pick<Ledger, 'append' | 'close'>> | undefined;
  const opened = (): Promise<Pick<Ledger, 'append' | 'close'>> => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };
  return {
    record: async (statement) => {
      const ledger = await opened();
      const bundle = await ledger.append(await signStatement(statement, signer), signer);
      return { logIndex: Number(bundle.verificationMaterial.tlogEntries[0]?.logIndex) };
    },
    close: async () => {
      await (await opening)?.close();
    },
  };
}

const PASSING: ReadonlySet<string> = new Set(['LEDGER_UNAVAILABLE', 'LEDGER_FULL']);

async function sizeAtStart({ spool }: LedgerPlace, { first }: Parts, io: Io): Promise<number> {
  try {
    return await first();
  } catch (error) {
    if (spool === undefined || !(error instanceof AttestError && PASSING.has(error.code))) throw error;
    io.err(`${JSON.stringify(lineOf({ what: 'waiting', reason: error.message }))}\n`);
    return 0;
  }
}

function plainRecording(recorder: Recorder, { state, url }: LedgerPlace, indexing: Indexing): Recording {
  return {
    record: async (statement) => {
      const { logIndex } = await recorder.record(statement);
      indexing.touch();
      return { recordId: String(logIndex) };
    },
    trouble: url === undefined ? watchLedger(state) : () => [],
    close: async () => {
      await recorder.close();
      await indexing.stop();
    },
  };
}

function lineOf(event: SpoolEvent): object {
  if (event.what === 'drained')
    return { level: 'info', event: 'ledger', message: 'the spool is empty again', records: event.count };
  const message = event.what === 'waiting' ? 'records go to the spool' : 'records still wait in the spool';
  return { level: 'warn', event: 'ledger', message: `${message}: ${event.reason}` };
}
