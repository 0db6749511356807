// SPDX-License-Identifier: Apache-2.0
// The builtins that nearly every rule uses, in TypeScript, so that an ordinary policy never starts OPA's own. A twin answers what is
// ordinary, exactly as OPA does, and leaves the rest to OPA: errors too, whose words are OPA's. Each is held to OPA's own answers on
// thousands of generated calls (test/engine/rego/vectors).
import { sprintf } from '../../sprintf/index.ts';
import { BuiltinBroken } from '../failed.ts';
import { anyPrefixMatch, anySuffixMatch } from './affix.ts';
import { semverCompare, semverIsValid } from './semver.ts';
import { objectSubset } from './subset.ts';
import { formatInt, splitN, stringsCount } from './text.ts';
import { parseDurationNs, parseRfc3339Ns } from './time.ts';
import { parseBytes, parseUnits } from './units.ts';

/**
 * Takes texts of values and returns one, or undefined where OPA's own builtin is to be asked. Pure but for the clock, which is the
 * decision's time.
 * @throws {TwinError} where OPA's fails
 * @throws {RangeError} for what it is not willing to do
 */
export type Twin = (parameters: readonly string[], timeNs: bigint | undefined) => string | undefined;

/** By OPA's names. */
export const TWINS: ReadonlyMap<string, Twin> = new Map<string, Twin>([
  ['format_int', formatInt],
  ['object.subset', objectSubset],
  ['semver.compare', semverCompare],
  ['semver.is_valid', semverIsValid],
  ['sprintf', ([format = '', values = '']) => JSON.stringify(sprintf(format, values))],
  ['strings.any_prefix_match', anyPrefixMatch],
  ['strings.any_suffix_match', anySuffixMatch],
  ['strings.count', stringsCount],
  ['strings.split_n', splitN],
  ['time.now_ns', (_parameters, timeNs) => String(clock(timeNs))],
  ['time.parse_duration_ns', parseDurationNs],
  ['time.parse_rfc3339_ns', parseRfc3339Ns],
  ['trace', () => 'true'],
  ['units.parse', parseUnits],
  ['units.parse_bytes', parseBytes],
]);

function clock(timeNs: bigint | undefined): bigint {
  if (timeNs === undefined) throw new BuiltinBroken('this evaluation has no time');
  return timeNs;
}
