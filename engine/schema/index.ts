// SPDX-License-Identifier: Apache-2.0
export { type Fault, readTyped, type Subject, type Typed } from './read.ts';
export {
  goneKind,
  groupOf,
  type Kind,
  KUBERNETES_MINOR,
  KUBERNETES_VERSION,
  kindOf,
  type Life,
} from './table.ts';
