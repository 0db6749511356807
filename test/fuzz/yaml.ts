// SPDX-License-Identifier: Apache-2.0
// npm run fuzz:yaml -- [--documents 100000] [--seed N]: holds engine/manifest/fast to Kubernetes' reader and to npm's yaml.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import { fuzz, isTelling } from './run.ts';

const { values } = parseArgs({
  options: { documents: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
});
const [count, seed] = [Number(values.documents), Number(values.seed)];
if (!Number.isSafeInteger(count) || count < 1 || !Number.isSafeInteger(seed))
  throw new Error('--documents and --seed are whole numbers');

const run = fuzz(openYamlReader(join(import.meta.dirname, '../../engine/toolchain/built')), seed, count);
for (const origin of ['grammar', 'manifest', 'trap'] as const)
  console.log(`${origin}: ${run.taken[origin]} of ${run.made[origin]} documents taken`);
for (const { text, fast, reader } of run.disagreements)
  console.log(`different: ${JSON.stringify(text)}\n  fast:   ${fast}\n  reader: ${reader}`);
if (!isTelling(run)) console.log('less than a third of the manifests was taken: the run tells nothing');
console.log(`seed ${seed}: ${run.disagreements.length} disagreements`);
process.exitCode = run.disagreements.length === 0 && isTelling(run) ? 0 : 1;
