// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { AttestError } from '../../error.ts';
import { type Envelope, type Signer, signStatement } from '../../sign/index.ts';
import type { Ledger } from '../ledger.ts';
import type { Rows } from '../reading/rows.ts';
import type { Recorder } from '../recorder.ts';
import { openSpoolStore, type Spooled, type SpoolStore } from './store.ts';

/** Records statements; where the ledger cannot take them, into a spool that the ledger gets later. */
export interface SpoolingRecorder {
  /**
   * Resolves when the statement is on disk: with its index in the ledger, or with its number in the spool.
   * Rejects with {AttestError} as a recorder does, where the ledger fails for another reason than that it cannot commit, and where the
   * spool cannot take it either
   */
  record(statement: Uint8Array): Promise<{ readonly logIndex: number } | { readonly spooled: number }>;
  /** How many records wait for the ledger. */
  waiting(): number;
  /** Why nothing is taken: what waits met a ledger that does more than not be there. Absent again when it has been brought in. */
  damage(): AttestError | undefined;
  /** Brings what waits into the ledger, if it is there again; resolves with how many records that were. */
  drain(): Promise<number>;
  /** Waits for what was asked, tries once more to drain, then closes ledger and spool; what still waits is there at the next start. */
  close(): Promise<void>;
}

/** What a spooling recorder is made of. */
export interface SpoolOptions {
  readonly recorder: Recorder;
  readonly signer: Signer;
  /** Opens the ledger that the recorder writes to, to bring in what waits. */
  readonly openLedger: () => Promise<Pick<Ledger, 'append' | 'close'>>;
  /** Opens its rows, to see what is there already. */
  readonly openRows: () => Promise<Rows>;
  readonly directory: string;
  /** How many entries the ledger has at the start, as far as is known; 0 costs no more than time. */
  readonly size: number;
  /** Largest size of the spool's file, in bytes. */
  readonly maxBytes?: number;
  /** Told when records begin to wait, when they have been brought in, and why they cannot be. */
  readonly onEvent?: (event: SpoolEvent) => void;
  /** How often the ledger is tried again, in milliseconds. */
  readonly retryMs?: number;
}

/** What happens to a spool. */
export type SpoolEvent =
  | { readonly what: 'waiting'; readonly reason: string }
  | { readonly what: 'drained'; readonly count: number }
  | { readonly what: 'stuck'; readonly reason: string };

const MAX_BYTES = 256 * 1024 * 1024;
const RETRY_MS = 5_000;
const BATCH = 256;
/** The ledger cannot commit now. A damaged one, or a key that is gone, is no reason to go on as if all were well. */
const PASSING: ReadonlySet<string> = new Set(['LEDGER_UNAVAILABLE', 'LEDGER_FULL']);

/**
 * Opens a spool before a recorder. Order is kept: as long as anything waits, what comes later waits behind it.
 * @throws {AttestError} LEDGER_UNAVAILABLE | LEDGER_FULL | LEDGER_CORRUPT where the spool itself cannot be used
 */
export function openSpool(options: SpoolOptions): SpoolingRecorder {
  const store = openSpoolStore(options.directory, options.maxBytes ?? MAX_BYTES);
  const tell = options.onEvent ?? ((): void => undefined);
  let waiting = store.count();
  let { size } = options;
  let draining: Promise<number> | undefined;
  let damage: AttestError | undefined;
  const timer = setInterval(() => void drain(), options.retryMs ?? RETRY_MS);
  timer.unref();

  async function spool(statement: Uint8Array, since: number): Promise<{ readonly spooled: number }> {
    const entry = entryOf(await signStatement(statement, options.signer), options.signer);
    const spooled = store.add({ ...entry, since });
    waiting++;
    return { spooled };
  }

  async function record(
    statement: Uint8Array,
  ): Promise<{ readonly logIndex: number } | { readonly spooled: number }> {
    // What was committed before this was asked for cannot be this.
    const since = size;
    if (damage !== undefined) throw damage;
    if (waiting > 0) return spool(statement, since);
    try {
      const { logIndex } = await options.recorder.record(statement);
      size = Math.max(size, logIndex + 1);
      return { logIndex };
    } catch (error) {
      if (!(error instanceof AttestError && PASSING.has(error.code))) throw error;
      if (waiting === 0) tell({ what: 'waiting', reason: error.message });
      return spool(statement, since);
    }
  }

  function drain(): Promise<number> {
    if (waiting === 0) return Promise.resolve(0);
    draining ??= bringIn(store, options)
      .then((count) => {
        damage = undefined;
        tell({ what: 'drained', count });
        return count;
      })
      .catch((error: unknown) => {
        if (!(error instanceof AttestError)) throw error;
        // One that goes away afterwards is not whole by that.
        if (!PASSING.has(error.code)) damage = error;
        tell({ what: 'stuck', reason: error.message });
        return 0;
      })
      .finally(() => {
        waiting = store.count();
        draining = undefined;
      });
    return draining;
  }

  return {
    record,
    waiting: () => waiting,
    damage: () => damage,
    drain,
    close: async () => {
      clearInterval(timer);
      await options.recorder.close();
      await drain();
      store.close();
    },
  };
}

/** All that waits, in order. What the ledger has already, from a crash in between, is not added again. */
async function bringIn(store: SpoolStore, { openLedger, openRows }: SpoolOptions): Promise<number> {
  const ledger = await openLedger();
  try {
    let count = 0;
    for (let batch = store.first(BATCH); batch.length > 0; batch = store.first(BATCH)) {
      const rows = await openRows();
      const there = await payloadsFrom(rows, Math.min(...batch.map(({ since }) => since))).finally(() =>
        rows.close(),
      );
      const missing = batch.filter(({ payload }) => !there.has(hash('sha256', payload, 'base64')));
      // The ledger's queue keeps the order of its calls.
      await Promise.all(
        missing.map((entry) =>
          ledger.append(envelopeOf(entry), { publicKeyDer: Buffer.from(entry.publicKey) }),
        ),
      );
      store.drop(batch.at(-1)?.number ?? 0);
      count += batch.length;
    }
    return count;
  } finally {
    await ledger.close();
  }
}

const ROWS_AT_ONCE = 512;

/** A statement has an id of its own: one with the same bytes is the same. */
async function payloadsFrom(rows: Rows, since: number): Promise<ReadonlySet<string>> {
  const payloads = new Set<string>();
  const size = await rows.size();
  for (let from = since; from < size; from += ROWS_AT_ONCE)
    for (const { payload } of await rows.entries(from, Math.min(size, from + ROWS_AT_ONCE)))
      payloads.add(hash('sha256', payload, 'base64'));
  return payloads;
}

function entryOf(envelope: Envelope, signer: Signer): Omit<Spooled, 'number' | 'since'> {
  return {
    payloadType: envelope.payloadType,
    payload: Buffer.from(envelope.payload, 'base64'),
    signature: Buffer.from(envelope.signatures[0].sig, 'base64'),
    publicKey: signer.publicKeyDer,
  };
}

const envelopeOf = ({ payloadType, payload, signature }: Spooled): Envelope => ({
  payloadType,
  payload: Buffer.from(payload).toString('base64'),
  signatures: [{ sig: Buffer.from(signature).toString('base64') }],
});
