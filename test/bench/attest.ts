// SPDX-License-Identifier: Apache-2.0
// How many bundles a second one core verifies, by what has to be verified in each. Nothing is taken from a cache of verdicts.
import { verifyAttestation } from '../../attest/index.ts';
import { bytesOf, keyed, question, RELEASE, trustOf } from '../attest/bundle/ask.ts';
import { type Making, newKey, newWorld, pemOf } from '../attest/bundle/world.ts';
import { spreadOf, spreadText, tableText } from './statistics.ts';

const BUNDLES = 50;
const US_PER_S = 1_000_000;

/** CPU time of this process so far, in microseconds: other processes may be using the core. */
const cpuUs = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Bundles verified per second of CPU. */
export async function benchAttest(o: {
  readonly runs: number;
  readonly print: (line: string) => void;
}): Promise<string> {
  const world = await newWorld();
  const key = newKey();
  const asked = question(trustOf(world.trustedRoot()), { signers: [RELEASE, keyed(pemOf(key))] });
  const rows: string[][] = [];
  for (const [name, making] of Object.entries(KINDS)) {
    const bundles: Buffer[] = [];
    for (let made = 0; made < BUNDLES; made++)
      bundles.push(bytesOf(await world.make(name.startsWith('key') ? { ...making, key } : making)));
    const perSecond: number[] = [];
    // The first run warms up.
    for (let run = 0; run <= o.runs; run++) {
      const before = cpuUs();
      for (const bundle of bundles)
        if (!verifyAttestation(bundle, asked).verified) throw new Error(`a bundle (${name}) does not verify`);
      if (run > 0) perSecond.push((BUNDLES * US_PER_S) / (cpuUs() - before));
    }
    o.print(`attest: ${name}, ${BUNDLES} bundles verified ${o.runs} times`);
    rows.push([name, spreadText(spreadOf(perSecond), 0)]);
  }
  return tableText([['verify one bundle', 'a CPU second'], ...rows]);
}

const KINDS: Readonly<Record<string, Making>> = {
  'keyless, Rekor v1 with promise and proof': { entries: ['dsse 0.0.1'] },
  'keyless, Rekor v1 and a timestamp': { entries: ['dsse 0.0.1'], timestamps: 1 },
  'keyless, Rekor v2 and a timestamp': { entries: ['hashedrekord 0.0.2'], timestamps: 1 },
  'key, Rekor v2': { entries: ['hashedrekord 0.0.2'] },
};
