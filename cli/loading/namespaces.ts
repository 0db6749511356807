// SPDX-License-Identifier: Apache-2.0
import { DEFAULT_NAMESPACES, malformedName, type Namespaces } from '../../engine/policy/index.ts';
import { type Args, type Flags, needing } from '../args.ts';
import { UsageError } from '../exit.ts';

/** Which packages Conftest rules are read from. */
export const NAMESPACE_FLAGS: Flags = {
  'policy-namespace': {
    value: 'NAME',
    multiple: true,
    excludes: ['all-policy-namespaces'],
    help: 'package that Conftest rules are read from, or a glob such as main.* (default main)',
  },
  'all-policy-namespaces': { help: 'read Conftest rules from every package' },
};

/** The same for verbs that take policies by a flag, without which there are no such rules. */
export const NAMESPACE_FLAGS_OF_POLICY = needing(['policy'], NAMESPACE_FLAGS);

/** What the flags say; the default object itself where they say nothing. @throws {UsageError} for a malformed glob */
export function namespacesOf(args: Args): Namespaces {
  const names = args.list('policy-namespace');
  const malformed = malformedName(names);
  if (malformed !== undefined)
    throw new UsageError(
      `--policy-namespace ${JSON.stringify(malformed)} is a malformed glob`,
      '* ? [a-z] [^a-z], and a backslash before a character that stands for itself',
    );
  const all = args.has('all-policy-namespaces');
  return names.length === 0 && !all ? DEFAULT_NAMESPACES : { names, all };
}
