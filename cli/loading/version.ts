// SPDX-License-Identifier: Apache-2.0
import type { RegoVersion } from '../../engine/policy/index.ts';
import type { Args, Flag } from '../args.ts';

/** Which language the files are written in, as `opa` has it. */
export const VERSION_FLAGS: Readonly<Record<string, Flag>> = {
  'v0-compatible': {
    excludes: ['v1-compatible'],
    help: 'the files are Rego as it was before OPA 1.0, where no manifest says otherwise',
  },
  'v1-compatible': { help: 'the files are Rego v1 (the default)' },
};

/** The version of files that do not state their own; undefined where no flag is given. */
export function versionOf(args: Args): RegoVersion | undefined {
  if (args.has('v0-compatible')) return 'v0';
  return args.has('v1-compatible') ? 'v1' : undefined;
}
