// SPDX-License-Identifier: Apache-2.0
// A module in, the same module with limits out. bytes.ts reads and writes the binary format; scan.ts finds in one body where to
// charge and what is called; recursion.ts finds the functions that can call themselves; layout.ts reads the sections that matter
// and refuses what an OPA module does not have; body.ts rewrites one body; meter.ts puts the module together again.
export { refuse } from './bytes.ts';
export { meter } from './meter.ts';
