// SPDX-License-Identifier: Apache-2.0
// A compiled policy's module, limited and evaluated. The module is rewritten when it is loaded so that it counts its steps and
// call depth (meter, scan, recursion, bytes); one instance with its data is rewound before every evaluation (machine); values
// cross the boundary as text (value); builtins that the module lacks come from one table (builtins) and from nowhere else.
export { DEFAULT_LIMITS, type RegoLimits } from './limits.ts';
export { meter } from './meter/meter.ts';
export { loadRego, type RegoLoad, type RegoProgram, type RegoResult } from './program.ts';
export { compareValues, isRegoObject, parseValue, type RegoObject, type RegoValue } from './value.ts';
