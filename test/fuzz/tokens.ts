// SPDX-License-Identifier: Apache-2.0
// npm run fuzz:tokens -- [--mutants 50000] [--seed N]: no mutant of a good token is accepted.
import { parseArgs } from 'node:util';
import { runMutants } from '../attest/tokens/mutants.ts';

const { values } = parseArgs({
  options: { mutants: { type: 'string', default: '50000' }, seed: { type: 'string', default: '1' } },
});
const [count, seed] = [Number(values.mutants), Number(values.seed)];
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed))
  throw new Error('--mutants and --seed are whole numbers');

const { made, codes, accepted } = await runMutants(count, seed);
for (const [code, many] of Object.entries(codes).sort()) console.log(`${code}: ${many}`);
for (const token of accepted) console.log(`accepted: ${token}`);
console.log(`seed ${seed}: ${accepted.length} of ${made} mutants accepted`);
process.exitCode = accepted.length === 0 ? 0 : 1;
