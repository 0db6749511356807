// SPDX-License-Identifier: Apache-2.0
// A few of the crashes that `npm run test:crash` makes by the thousand.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { buildFaults, type Fault, faultsOf, withFault, write } from './crash.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-crash-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a writer that is killed', () => {
  it('has lost nothing that it acknowledged, time after time', async () => {
    const directory = join(folder, 'killed');
    const acknowledged = new Map<number, string>();
    for (let round = 0; round < 8; round++) {
      const killAfterMs = round === 0 ? { start: 120 } : { first: (round * 37) % 90 };
      const said = await write({
        directory,
        round: String(round),
        count: 0,
        concurrency: round % 2 === 0 ? 1 : 32,
        killAfterMs,
      });
      expect(said.isKilled).toBe(true);
      for (const [index, name] of said.acknowledged) {
        expect(acknowledged.has(index)).toBe(false);
        acknowledged.set(index, name);
      }
      expect(await faultsOf(directory, acknowledged)).toEqual([]);
    }
    expect(acknowledged.size).toBeGreaterThan(7);
  }, 120_000);
});

const library = buildFaults(folder);
const PLANS: readonly Fault[] = [
  { kind: 'power', at: 26 },
  { kind: 'power', at: 47 },
  { kind: 'power', at: 61 },
  { kind: 'torn', at: 33 },
  { kind: 'torn', at: 52 },
  { kind: 'eio', at: 45 },
  { kind: 'eio', at: 60 },
  { kind: 'enospc', at: 40, stays: true },
  { kind: 'enospc', at: 58, stays: true },
  { kind: 'erofs', at: 50, stays: true },
  { kind: 'erofs', at: 8, stays: true },
];

// Without a compiler (other systems) the ledger's own tests of a full disk and of a read-only folder remain.
(library === undefined ? describe.skip : describe)('a disk that fails', () => {
  it.each(PLANS)(
    '$kind at operation $at loses nothing acknowledged and leaves nothing half-written',
    async (plan) => {
      const { faults, said } = await withFault(library ?? '', plan);
      expect(faults).toEqual([]);
      expect(said.isKilled).toBe(['power', 'torn'].includes(plan.kind));
      if (plan.stays === true)
        expect(said.refused.join('\n')).toMatch(/^(?:open|no) LEDGER_(?:FULL|UNAVAILABLE)/);
    },
  );
});
