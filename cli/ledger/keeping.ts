// SPDX-License-Identifier: Apache-2.0
// What is kept beside the ledger, so that replay can decide again. Loaded only where something is signed.
import { type Item, type Keeper, openInputs } from '../../attest/index.ts';
import type { JudgeParts, PackedPolicy } from '../../engine/parts.ts';
import { policyBytes } from '../../engine/replay/policy.ts';
import type { Recording } from './recording.ts';

/** Keeps these beside the ledger of a state folder. @throws {AttestError} INPUTS_UNAVAILABLE */
export function putInputs(state: string, items: readonly Item[]): void {
  const inputs = openInputs(state, { create: true });
  try {
    inputs.put(items);
  } finally {
    inputs.close();
  }
}

/** A policy as it is kept, by the digest that records name. */
export const policyItem = (packed: PackedPolicy, time: string): Item => ({
  kind: 'policy',
  digest: packed.digest,
  bytes: policyBytes(packed),
  time,
});

/** Keeps what a server is about to judge by, where its inputs are kept. */
export async function keepPolicies(
  parts: JudgeParts,
  { keeper, time }: { readonly keeper: Keeper; readonly time: string },
): Promise<void> {
  const benches = 'bench' in parts ? [parts.bench] : [...parts.benches.values()];
  const policies = benches.filter(({ keepsInputs }) => keepsInputs).flatMap((bench) => bench.policies);
  await Promise.all(policies.map((packed) => keeper.keep(policyItem(packed, time))));
}

/** Records what names this input, once it is kept: a record in the ledger names none that is not. Rejects as either does */
export async function recordKept(
  statement: Uint8Array,
  kept: Omit<Item, 'kind'> | undefined,
  {
    recording,
    keeper,
  }: { readonly recording: Pick<Recording, 'record'>; readonly keeper: Pick<Keeper, 'keep'> },
): Promise<{ readonly recordId: string }> {
  if (kept !== undefined) await keeper.keep({ kind: 'input', ...kept });
  return recording.record(statement);
}
