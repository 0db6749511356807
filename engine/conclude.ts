// SPDX-License-Identifier: Apache-2.0
import { type Bundle, type Ledger, type Signer, signStatement } from '../attest/index.ts';
import type { Judgement } from './change.ts';
import { refuseDuplicates } from './record/set.ts';
import { type EngineIdentity, statementOf } from './record/statement.ts';
import type { Kept } from './replay/kept.ts';

export type { EngineIdentity } from './record/statement.ts';

/** What a conclusion needs: who signs, the ledger that holds what was signed, and where what was evaluated is kept. */
export interface Seal {
  readonly signer: Signer;
  readonly ledger: Pick<Ledger, 'append'>;
  readonly engine: EngineIdentity;
  /** Resolves when it is on disk. Absent: nothing is kept. */
  readonly keep?: (kept: Kept) => Promise<void>;
}

/**
 * Signs a judgement and appends it to the ledger; the record is the result. Only when this has resolved may an allow be answered:
 * an approval that nobody can find later is none. What was evaluated is kept first: no record in the ledger names what is not there.
 * @throws {EngineError} INPUT_DUPLICATE_OBJECT | RECORD_TOO_LARGE
 * @throws {AttestError} LEDGER_UNAVAILABLE | LEDGER_FULL
 */
export async function conclude(judgement: Judgement, seal: Seal): Promise<Bundle> {
  const kept = seal.keep === undefined ? undefined : judgement.kept?.();
  const statement = statementFor(judgement, seal.engine, kept);
  if (kept !== undefined) await seal.keep?.(kept);
  return seal.ledger.append(await signStatement(statement, seal.signer), seal.signer);
}

/**
 * The statement of a judgement, for who has it signed and appended elsewhere.
 * @param kept what is kept beside it
 * @throws {EngineError} INPUT_DUPLICATE_OBJECT | RECORD_TOO_LARGE
 */
export function statementFor(judgement: Judgement, engine: EngineIdentity, kept?: Kept): Uint8Array {
  refuseDuplicates(judgement.set);
  return statementOf(judgement, engine, kept);
}
