// SPDX-License-Identifier: Apache-2.0
import { type Bundle, type Ledger, type Signer, signStatement } from '../attest/index.ts';
import type { Judgement } from './change.ts';
import { refuseDuplicates } from './record/set.ts';
import { type EngineIdentity, statementOf } from './record/statement.ts';

export type { EngineIdentity } from './record/statement.ts';

/** What a conclusion needs: who signs, and the ledger that holds what was signed. */
export interface Seal {
  readonly signer: Signer;
  readonly ledger: Pick<Ledger, 'append'>;
  readonly engine: EngineIdentity;
}

/**
 * Signs a judgement and appends it to the ledger; the record is the result. Only when this has resolved may an allow be answered:
 * an approval that nobody can find later is none.
 * @throws {EngineError} INPUT_DUPLICATE_OBJECT | RECORD_TOO_LARGE
 * @throws {AttestError} LEDGER_UNAVAILABLE | LEDGER_FULL
 */
export async function conclude(judgement: Judgement, seal: Seal): Promise<Bundle> {
  const statement = statementFor(judgement, seal.engine);
  return seal.ledger.append(await signStatement(statement, seal.signer), seal.signer);
}

/**
 * The statement of a judgement, for who has it signed and appended elsewhere.
 * @throws {EngineError} INPUT_DUPLICATE_OBJECT | RECORD_TOO_LARGE
 */
export function statementFor(judgement: Judgement, engine: EngineIdentity): Uint8Array {
  refuseDuplicates(judgement.set);
  return statementOf(judgement, engine);
}
