// SPDX-License-Identifier: Apache-2.0
// The verbs by which people sign: what is asked for, by one, and agreed to, by another. `signing` is what they share.

export { approve } from './approve.ts';
export { askPeople } from './asked.ts';
export { breakGlass, reviews } from './break_glass.ts';
export { lock, unlock, verifyLock } from './lock.ts';
export { revoke } from './revoke.ts';
export { waive } from './waive.ts';
export { waivers } from './waivers.ts';
