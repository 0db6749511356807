// SPDX-License-Identifier: Apache-2.0
import type { Environment } from '../../engine/context/project.ts';
import type { Document } from '../../engine/manifest/index.ts';

/** Namespaces of the objects that are not the environment's: in the cluster another environment would judge them, or none. */
export function strangersTo(
  environment: Environment | undefined,
  documents: readonly Document[],
): readonly string[] {
  const own = environment?.namespaces;
  if (environment === undefined || own === undefined) return [];
  const named = new Set(documents.flatMap(({ id }) => (id?.namespace === undefined ? [] : [id.namespace])));
  return [...named]
    .filter((namespace) => !own.includes(namespace))
    .sort()
    .map(
      (namespace) =>
        `namespace ${JSON.stringify(namespace)} is none of environment ${JSON.stringify(environment.name)}: at admission it judges nothing there`,
    );
}
