// SPDX-License-Identifier: Apache-2.0
// `npm run fuzz:attest -- [COUNT] [SEED]`: 50,000 mutants of good bundles, envelopes and trust roots, and what became of them.
import { judgeMutants } from '../attest/bundle/mutants.ts';

const [count = '50000', seed = '1'] = process.argv.slice(2);
const { counts, wrong } = await judgeMutants(Number(seed), Number(count));
for (const [kind, { refused, respelled }] of Object.entries(counts))
  process.stdout.write(`${kind.padEnd(14)} ${refused} refused, ${respelled} other spellings\n`);
for (const each of wrong) process.stdout.write(`WRONG ${each}\n`);
process.stdout.write(`${count} mutants with seed ${seed}, ${wrong.length} wrongly accepted or not ours\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
