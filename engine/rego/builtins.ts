// SPDX-License-Identifier: Apache-2.0
import { sprintf } from './sprintf/index.ts';

/**
 * Takes value texts and returns one. Must be pure: its result is part of a decision.
 * @throws {RangeError} for arguments that it refuses; that blocks, where on OPA's own runtime the rule would silently not fire
 */
export type HostBuiltin = (parameters: readonly string[]) => string;

/** Every builtin that the host serves; what a module imports beyond it is refused when it is loaded. */
export const HOST_BUILTINS: ReadonlyMap<string, HostBuiltin> = new Map([
  ['sprintf', ([format = '', values = '']): string => JSON.stringify(sprintf(format, values))],
]);
