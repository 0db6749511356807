// SPDX-License-Identifier: Apache-2.0
//
// A ledger whose writer dies, or whose disk fails:
//   npm run test:crash [-- --kills 1000] [-- --seed N]
// Kills a writing process at random moments, from its start on; then makes every single write, sync, rename and truncation fail, tear,
// kill the process or cut the power, and every one from then on fail as a full or a read-only disk does. After each: everything that
// was acknowledged is there, nothing half-written is, and the ledger goes on. Exit code 0 where all holds, 1 where not.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildFaults, type Fault, faultsOf, withFault, write } from './crash.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1e6) },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const base = mkdtempSync(join(tmpdir(), 'countersign-crash-'));
process.on('exit', () => rmSync(base, { recursive: true, force: true }));
let [passed, failed] = [0, 0];

function judge(what: string, faults: readonly string[]): void {
  if (faults.length === 0) passed++;
  else {
    failed++;
    print(`FAILED: ${what}: ${faults.join('; ')}`);
  }
}

/** The same numbers for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A ledger lives for some rounds, so that what one crash left is what the next one happens to. */
const ROUNDS = 25;

async function killAtRandom(kills: number, seed: number): Promise<void> {
  const next = random(seed);
  let [acknowledged, total] = [new Map<number, string>(), 0];
  for (let round = 0; round < kills; round++) {
    const directory = join(base, `killed-${Math.floor(round / ROUNDS)}`);
    if (round % ROUNDS === 0) acknowledged = new Map();
    // One in ten dies before it has said anything, the making of the ledger included.
    const killAfterMs = next() < 0.1 ? { start: 50 + next() * 400 } : { first: next() * 150 };
    const concurrency = [1, 4, 64][round % 3] ?? 1;
    const said = await write({ directory, round: String(round), count: 0, concurrency, killAfterMs });
    const twice = [...said.acknowledged.keys()].filter((index) => acknowledged.has(index));
    for (const [index, name] of said.acknowledged) acknowledged.set(index, name);
    total += said.acknowledged.size;
    const faults = await faultsOf(directory, acknowledged);
    judge(`kill ${round} of seed ${seed}`, [
      ...faults,
      ...(said.isKilled ? [] : ['it was not killed']),
      ...twice.map((index) => `entry ${index} was acknowledged twice`),
    ]);
    if (round % ROUNDS === ROUNDS - 1) rmSync(directory, { recursive: true, force: true });
    if ((round + 1) % 100 === 0) print(`${round + 1} kills, ${total} records acknowledged`);
  }
}

async function failEverywhere(library: string): Promise<void> {
  const { operations, faults } = await withFault(library, { kind: 'power', at: 0 });
  judge('a writer that nothing happens to', faults);
  const plans: Fault[] = [];
  for (let at = 1; at <= operations; at++) {
    for (const kind of ['eio', 'kill', 'torn', 'power'] as const) plans.push({ kind, at });
    for (const kind of ['enospc', 'erofs'] as const) plans.push({ kind, at, stays: true });
  }
  print(`${operations} operations, ${plans.length} faults`);
  for (const plan of plans) {
    const outcome = await withFault(library, plan);
    judge(`${plan.kind} at operation ${plan.at}`, [...outcome.faults, ...unspoken(plan, outcome.said)]);
  }
}

/** A disk that stays full or read-only is told, unless all was done before; every statement is acknowledged or refused. */
function unspoken({ kind, stays = false }: Fault, said: Awaited<ReturnType<typeof write>>): string[] {
  const unknown = said.refused.filter(
    (line) => !/^(?:open|no|close) (?:LEDGER_[A-Z]+|KEY_UNREADABLE)$/.test(line),
  );
  const isSilent = stays && said.refused.length === 0 && said.acknowledged.size < 6;
  const isDead = ['kill', 'torn', 'power'].includes(kind);
  return [
    ...unknown.map((line) => `it said ${JSON.stringify(line)}`),
    ...(isSilent ? ['it said nothing'] : []),
    ...(isDead || said.refused.length > 0 || said.acknowledged.size === 6
      ? []
      : ['a statement was forgotten']),
  ];
}

await killAtRandom(Number(values.kills), Number(values.seed));
const library = buildFaults(base);
if (library === undefined) print('no compiler: faults of the disk are not tried');
else await failEverywhere(library);
print(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
