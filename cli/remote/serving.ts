// SPDX-License-Identifier: Apache-2.0
// What `serve` adds to the webhook so that it checks sets for jobs.
import { AttestError, type Bundle, type Keeper, openReader } from '../../attest/index.ts';
import type { TokenUses } from '../../attest/tokens/index.ts';
import { keptUses } from '../../attest/tokens/kept.ts';
import { recordKept } from '../ledger/keeping.ts';
import { type LedgerPlace, openRows } from '../ledger/place.ts';
import type { Recording } from '../ledger/recording.ts';
import type { Checks } from './environments.ts';

/** Where records go. */
interface Records {
  readonly place: LedgerPlace;
  readonly recording: Pick<Recording, 'record'>;
  readonly keeper: Pick<Keeper, 'keep'>;
}

/** The thread that checks; `webhook/checking` has it. */
interface Thread<Check> {
  readonly check: Check;
  use(parts: Checks['parts']): void;
  close(): Promise<void>;
}

/** What of checking sets does not judge: whom it believes, which tokens were used, and its records. */
export interface ServingChecks<Check> {
  /** By what sets are checked from now on; undefined where there are no environments. */
  use(checks: Checks | undefined): void;
  service(records: Records): Service<Check>;
  close(): Promise<void>;
}

interface Service<Check> {
  readonly check: Check;
  readonly rules: () => Checks['rules'] | undefined;
  readonly whoAsks: Checks['whoAsks'];
  readonly uses: TokenUses;
  readonly record: (statement: Uint8Array, kept: Kept) => Promise<Bundle>;
}

type Kept = Parameters<typeof recordKept>[1];

/** @param state the folder that remembers which tokens were used */
export function openChecks<Check>(state: string, thread: Thread<Check>): ServingChecks<Check> {
  const uses = keptUses(state);
  let current: Checks | undefined;
  return {
    use: (checks) => {
      if (checks !== undefined) thread.use(checks.parts);
      current = checks;
    },
    service: (records) => ({
      check: thread.check,
      rules: () => current?.rules,
      whoAsks: (oidc) => current?.whoAsks(oidc),
      uses,
      record: (statement, kept) => recordAndRead(statement, kept, records),
    }),
    close: async () => {
      await thread.close();
      uses.close();
    },
  };
}

/**
 * Records a statement and reads its record back, with its proof. Rejects with {AttestError} LEDGER_UNAVAILABLE where it went to the
 * spool: it is kept, but no record can be handed out yet, and an answer without one is none; and as a recorder and a ledger do.
 */
async function recordAndRead(
  statement: Uint8Array,
  kept: Kept,
  { place, recording, keeper }: Records,
): Promise<Bundle> {
  const { recordId } = await recordKept(statement, kept, { recording, keeper });
  if (!/^\d+$/.test(recordId))
    throw new AttestError('LEDGER_UNAVAILABLE', 'the record waits in the spool, and has no proof yet', {
      hint: 'the ledger cannot commit: check again when it can',
    });
  const rows = await openRows(place);
  try {
    const index = Number(recordId);
    const [row] = await rows.entries(index, index + 1);
    if (row === undefined || !Buffer.from(row.payload).equals(statement))
      throw new AttestError('LEDGER_CORRUPT', `entry ${index} of the ledger is not what was recorded`);
    return await (await openReader(rows)).bundle(row);
  } finally {
    await rows.close();
  }
}
