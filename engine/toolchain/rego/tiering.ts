// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8';

/** How much a function of a module runs before it is compiled again, optimised; V8's own. */
export const USUAL_BUDGET = 13_000_000;
const BUDGET = 2_000_000_000;

/**
 * A start and one compilation end long before optimising the program's functions would pay: it is what takes half of the time
 * where there is one core. A module keeps the budget that it is made with, so those of policies, which run a million times, have theirs.
 */
export function unhurried<T>(make: () => T): T {
  setFlagsFromString(`--wasm-tiering-budget=${BUDGET}`);
  try {
    return make();
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${USUAL_BUDGET}`);
  }
}
