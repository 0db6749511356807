// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import { type ExactJson, type ExactObject, isExactObject } from './json.ts';

/**
 * Puts a value at its path below `data`. Objects are joined; anything else that meets something is a conflict, as is `countersign`,
 * where parameters live.
 * @throws {EngineError} POLICY_DATA
 */
export function insertData(
  data: ExactObject,
  path: readonly string[],
  value: ExactJson,
  file: string,
): ExactObject {
  const nested = path.reduceRight<ExactJson>((inner, segment) => new Map([[segment, inner]]), value);
  if (!isExactObject(nested))
    throw new EngineError('POLICY_DATA', `${JSON.stringify(file)} is not an object, which data is`);
  if (nested.has('countersign'))
    throw new EngineError('POLICY_DATA', `${JSON.stringify(file)} sets "countersign", which data may not`);
  return merge(data, nested, { file, path: [] });
}

function merge(
  left: ExactObject,
  right: ExactObject,
  at: { readonly file: string; readonly path: readonly string[] },
): ExactObject {
  const merged = new Map(left);
  for (const [key, value] of right) {
    const known = merged.get(key);
    const path = [...at.path, key];
    if (known === undefined) merged.set(key, value);
    else if (isExactObject(known) && isExactObject(value))
      merged.set(key, merge(known, value, { ...at, path }));
    else
      throw new EngineError(
        'POLICY_DATA',
        `${JSON.stringify(at.file)} sets what is set already: ${JSON.stringify(path.join('/'))}`,
        { hint: 'give each value in one file' },
      );
  }
  return merged;
}
