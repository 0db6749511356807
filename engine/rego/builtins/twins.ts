// SPDX-License-Identifier: Apache-2.0
import { sprintf } from '../sprintf/index.ts';
import { BuiltinBroken } from './failed.ts';

/**
 * A builtin in TypeScript: takes texts of values and returns one. Pure but for the clock, which is the decision's time; undefined where
 * OPA's is.
 * @throws {TwinError} where OPA's fails
 * @throws {RangeError} for what it is not willing to do
 */
export type Twin = (parameters: readonly string[], timeNs: bigint | undefined) => string | undefined;

/** The builtins that nearly every rule uses, so that an ordinary policy never starts OPA's own; each is held to OPA's answers by a test. */
export const TWINS: ReadonlyMap<string, Twin> = new Map<string, Twin>([
  ['sprintf', ([format = '', values = '']) => JSON.stringify(sprintf(format, values))],
  ['time.now_ns', (_parameters, timeNs) => String(clock(timeNs))],
  ['trace', () => 'true'],
]);

function clock(timeNs: bigint | undefined): bigint {
  if (timeNs === undefined) throw new BuiltinBroken('this evaluation has no time');
  return timeNs;
}
