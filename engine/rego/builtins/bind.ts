// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import type { BuiltinServer } from './server.ts';
import { BUILTINS, insteadOf } from './table.ts';
import { TWINS, type Twin } from './twins/index.ts';

/** What a module's import is answered by. */
export type Bound =
  | { readonly kind: 'twin'; readonly name: string; readonly twin: Twin }
  | { readonly kind: 'served'; readonly name: string; readonly isPinned: boolean }
  /** The native builtin was undefined: what is OPA's own answer? The first parameter is the call's place. */
  | { readonly kind: 'error'; readonly name: string }
  /** The call just made failed: the first parameter is its place. */
  | { readonly kind: 'place'; readonly name: string };

const ERROR = 'countersign.error.';
const CALL = 'countersign.call.';
const PLACE = 'countersign.place';

/** `strings__replace_n_` is `strings.replace_n`; see `programs/rego/internal/strict`. */
const unflat = (flat: string): string => flat.slice(0, -1).replaceAll('__', '.');

/**
 * Finds who answers an import. A module may come from elsewhere, so its import list is what counts.
 * @throws {EngineError} POLICY_BUILTIN with what to do instead
 */
export function bind(imported: string, server: BuiltinServer | undefined): Bound {
  if (imported === PLACE) return { kind: 'place', name: PLACE };
  if (imported.startsWith(ERROR)) return { kind: 'error', name: known(unflat(imported.slice(ERROR.length))) };
  const name = imported.startsWith(CALL) ? unflat(imported.slice(CALL.length)) : imported;
  const twin = TWINS.get(name);
  if (twin !== undefined) return { kind: 'twin', name, twin };
  const found = BUILTINS.get(known(name));
  if (server === undefined || (found === 'refused' && server.extra?.has(name) !== true))
    throw unavailable(name);
  return { kind: 'served', name, isPinned: found === 'pinned' };
}

const known = (name: string): string => {
  if (!BUILTINS.has(name)) throw unavailable(name);
  return name;
};

function unavailable(name: string): EngineError {
  return new EngineError('POLICY_BUILTIN', `builtin ${JSON.stringify(name)} is not available`, {
    hint: insteadOf(name) ?? 'docs/policies.md lists the builtins that are',
  });
}
