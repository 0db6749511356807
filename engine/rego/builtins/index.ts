// SPDX-License-Identifier: Apache-2.0
// OPA's builtins: table.ts says what becomes of each of them; bind.ts finds who answers a module's imports; call.ts answers one
// call, by a twin in TypeScript (twins/) or by OPA's own code (server.ts, which engine/toolchain implements), and keeps what failed
// (failed.ts), with the place that the rewritten call carries.
export { type Bound, bind } from './bind.ts';
export { answer, type Calls, newCalls } from './call.ts';
export {
  BuiltinBroken,
  type BuiltinFailure,
  BuiltinRefused,
  type OpaErrorCode,
  TwinError,
} from './failed.ts';
export type { BuiltinAnswer, BuiltinServer } from './server.ts';
export { BUILTINS, type BuiltinClass, COMPILED, insteadOf } from './table.ts';
export { TWINS } from './twins/index.ts';
