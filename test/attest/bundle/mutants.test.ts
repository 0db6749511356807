// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals';
import { judgeMutants } from './mutants.ts';

it('5,000 mutants of bundles, envelopes and trust roots: none is accepted but other spellings', async () => {
  const { counts, wrong } = await judgeMutants(20_261_124, 5_000);
  expect(wrong).toEqual([]);
  const judged = Object.values(counts).reduce((sum, { refused, respelled }) => sum + refused + respelled, 0);
  expect(judged).toBe(5_000);
  // If nearly everything were another spelling, the list of them would be too long.
  const respelled = Object.values(counts).reduce((sum, each) => sum + each.respelled, 0);
  expect(respelled).toBeLessThan(1_000);
}, 300_000);
