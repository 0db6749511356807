// SPDX-License-Identifier: Apache-2.0
// The data of a loaded policy, changed in place (loaded.ts), with a digest that follows it (changes.ts).
export { type ChangedData, isKnown, loadedData } from './loaded.ts';
