// SPDX-License-Identifier: Apache-2.0
// Bytes become Documents. `read` checks size and encoding (`encoding`), has each file read by Kubernetes' own reader
// (../toolchain/yaml.ts: values, exact to 64 bits), replaces Lists by their items (`list`, `spans`) and gathers what is wrong with the
// places that the reader does not tell (`faults`). Places come from npm's yaml (`syntax`, `region`, `locate`), which
// never gives a value, is asked only about documents with findings or faults, and only about text that is known to be shallow.
// What was read of many files is held without its content (`held`), so that memory does not grow with it.
// `image` and `reference` say which images an object runs.

export type { Location } from '../error.ts';
export {
  type Document,
  idOf,
  isObject,
  type JsonObject,
  type JsonValue,
  member,
  type ObjectId,
  type Remark,
  refuseUnlistable,
  type Source,
  type SourceOrigin,
  textMember,
} from './document.ts';
export { FILE_MAX_BYTES } from './encoding.ts';
export { withContent } from './held.ts';
export { distinctImages, type Image, imagesOf } from './image.ts';
export { locate, withOrigin } from './locate.ts';
export { readDocuments } from './read.ts';
export { parseReference, type Reference } from './reference.ts';
