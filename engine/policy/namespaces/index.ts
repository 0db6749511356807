// SPDX-License-Identifier: Apache-2.0
// Which packages rules in Conftest's style are read from: by name, or by pattern as Conftest matches them.
export { type Glob, isGlob, parseGlob } from './glob.ts';
export {
  DEFAULT_NAMESPACES,
  isChosen,
  malformedName,
  type Namespaces,
  refuseUnmatched,
} from './namespaces.ts';
