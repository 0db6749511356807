// SPDX-License-Identifier: Apache-2.0
// A compiled policy's module, limited and evaluated.
// program.ts is the way in: the module is rewritten once so that it counts its steps and calls (meter/), one instance is rewound
// before every evaluation (machine.ts over exports.ts and memory.ts), its data lie below the
// heap of evaluations and are changed in place (data/), and what ends without an answer is an error that says why (failure.ts).
// host.ts is all that the module sees of the world: memory, abort, and the builtins of one table (builtins/, sprintf/), paid for
// like everything else. Values leave as text, which keeps sets, keys of any type and exact numbers (term.ts), and become JavaScript
// (value.ts).
export {
  BUILTINS,
  type BuiltinAnswer,
  type BuiltinClass,
  type BuiltinFailure,
  type BuiltinServer,
  COMPILED,
  insteadOf,
} from './builtins/index.ts';
export type { DataPath } from './data/index.ts';
export { DEFAULT_LIMITS, type RegoLimits } from './limits.ts';
export { meter } from './meter/index.ts';
export { loadRego, type RegoLoad, type RegoMoment, type RegoProgram, type RegoResult } from './program.ts';
export { isRegoObject, type RegoObject, type RegoValue } from './value.ts';
