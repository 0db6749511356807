// SPDX-License-Identifier: Apache-2.0
// Keys and logs that came to their end. Whoever has such a key since writes what time he likes into a record, so that only a checkpoint
// that was kept says what is older.
import {
  type Bundle,
  checkpointOf,
  type Reader,
  type Row,
  type SignedCheckpoint,
  type Trust,
} from '../../../attest/index.ts';

/** Whom to believe, and the time now. */
export interface Believed {
  readonly trust: Trust;
  readonly now: Date;
}

/** What ended, and how many entries the checkpoint covers that was kept of before, where one was. */
export interface Ended {
  readonly keptSize?: number;
}

/** Whether the key of a bundle, or its log, has ended by now; the bundle's shape was looked at before. */
export function endedOf({ verificationMaterial }: Bundle, { trust, now }: Believed): Ended | undefined {
  const { publicKey, tlogEntries } = verificationMaterial;
  const key = trust.keys.find(({ id }) => id === publicKey.hint);
  if (key !== undefined && isOver(key, now)) return sizeOf(key.kept);
  const ids = new Set(tlogEntries.map(({ logId }) => logId.keyId));
  const log = trust.logs.find(({ id, validUntil }) => ids.has(id) && isAfter(now, validUntil));
  return log === undefined ? undefined : sizeOf(log.final);
}

const sizeOf = (kept: { readonly size: number } | undefined): Ended =>
  kept === undefined ? {} : { keptSize: kept.size };

const isOver = ({ notAfter, revokedAt }: Trust['keys'][number], now: Date): boolean =>
  isAfter(now, notAfter) || (revokedAt !== undefined && now.getTime() >= Date.parse(revokedAt));

const isAfter = (now: Date, end: string | undefined): boolean =>
  end !== undefined && now.getTime() > Date.parse(end);

/**
 * The bundle of a row, over the checkpoint that was kept where its key or its log has ended: by that one it holds for good.
 * Rejects with {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT
 */
export async function bundleOf(reader: Reader, row: Row, believed: Believed | undefined): Promise<Bundle> {
  const bundle = await reader.bundle(row);
  const size = believed === undefined ? undefined : endedOf(bundle, believed)?.keptSize;
  const kept = size === undefined || row.number >= size ? undefined : await checkpointOver(reader, size);
  return kept === undefined ? bundle : reader.bundle(row, kept);
}

/** The ledger's own checkpoint of that size; whether it is the one that was kept is seen where the bundle is verified. */
async function checkpointOver(reader: Reader, size: number): Promise<SignedCheckpoint | undefined> {
  const [stored] = await reader.rows.checkpointsAfter(size - 1, 1);
  return stored?.size === size ? checkpointOf(stored, reader.origin, reader.publicKey) : undefined;
}
