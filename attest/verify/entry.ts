// SPDX-License-Identifier: Apache-2.0
import { ENTRY_KIND, entryBody, isSignedBy } from '../log/index.ts';
import { preAuthEncoding } from '../sign/index.ts';
import type { LoadedKey, Trust, TrustedLog } from '../trust/trust.ts';
import { quoted, refuse } from './refusal.ts';
import type { BundleShape, EntryShape } from './shape.ts';

/**
 * A log entry must be about exactly this signature by this key: the expected body is made here and compared bytewise, so that no
 * other entry of a log, nor a body with a field that nobody reads, can stand in for it (cosign CVE-2026-22703).
 */
export function checkEntryBody(entry: EntryShape, bundle: BundleShape, key: LoadedKey): void {
  const signedBytes = preAuthEncoding(bundle.payloadType, bundle.payload);
  const expected = entryBody({ signedBytes, signature: bundle.signature, publicKeyDer: key.der });
  if (entry.kind !== ENTRY_KIND.kind || entry.version !== ENTRY_KIND.version)
    refuse(
      'LOG_ENTRY',
      `the log entry is a ${quoted(`${entry.kind} ${entry.version}`)}, not a hashedrekord 0.0.2`,
    );
  if (!entry.body.equals(expected)) refuse('LOG_ENTRY', 'the log entry is about something else');
}

/** The trusted log that signed an entry's checkpoint, by its exact name. */
export function logOf(entry: EntryShape, trust: Trust, at: Date | undefined): TrustedLog {
  const { checkpoint } = entry;
  const log =
    trust.logs.find(({ id, origin }) => id === entry.logId && origin === checkpoint.origin) ??
    refuse('LOG_UNKNOWN', `the log ${quoted(checkpoint.origin)} is not a trusted one`);
  if (!isFinal(log, entry)) checkLogTime(log, at);
  if (!isSignedBy(checkpoint, log.origin, log.key))
    refuse('LOG_CHECKPOINT', `the checkpoint is not signed by the log ${quoted(log.origin)}`);
  return log;
}

/** A proof by the last checkpoint of a log, as the reader kept it: whoever has the log's key since cannot make another with its root. */
const isFinal = ({ final }: TrustedLog, { checkpoint }: EntryShape): boolean =>
  final !== undefined && checkpoint.size === final.size && Buffer.compare(checkpoint.root, final.root) === 0;

function checkLogTime({ origin, validFrom, validUntil, final }: TrustedLog, at: Date | undefined): void {
  const time = at?.getTime() ?? Number.NaN;
  if (at !== undefined && !(time >= Date.parse(validFrom)))
    refuse('LOG_TIME', `the log ${quoted(origin)} is not valid before ${validFrom}`);
  if (validUntil !== undefined && !(time <= Date.parse(validUntil)))
    refuse(
      'LOG_TIME',
      `the log ${quoted(origin)} is not valid after ${validUntil}${final === undefined ? '' : ', but for what its last checkpoint proves'}`,
    );
}
