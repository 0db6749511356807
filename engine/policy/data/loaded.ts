// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { EngineError } from '../../error.ts';
import type { DataPath, RegoProgram } from '../../rego/index.ts';
import { Changes } from './changes.ts';

/** The data of a policy that is loaded. */
export interface ChangedData {
  /** SHA-256 (hex) over the module and the data that it evaluates with now. */
  digest(): string;
  /**
   * Puts a JSON document at a path of the data, in place, at a cost that does not depend on how much data there is. Objects on the way
   * are made where they are missing. The reference of the policy names the new data from then on; not to be called while a review
   * runs, whose decision would name data that half of it did not see.
   * @throws {EngineError} POLICY_DATA when it is no JSON, when the path goes through what is no object, and for the empty path and
   * `countersign`, where parameters live | POLICY_LIMIT when it does not fit; nothing is changed then
   */
  setData(path: DataPath, json: Uint8Array): void;
  /** Takes away what is at a path, if anything is; objects on the way stay. @throws {EngineError} POLICY_DATA as `setData` */
  removeData(path: DataPath): void;
}

/** What a program was loaded with: the bytes, and the document that they are of. */
export interface LoadedDocument {
  readonly bytes: Uint8Array;
  readonly value: unknown;
}

/** The data of a program that was loaded with this document. */
export function loadedData(program: RegoProgram, { bytes, value }: LoadedDocument): ChangedData {
  const first = hash('sha256', `${program.digest}\n${hash('sha256', bytes, 'hex')}\n`, 'hex');
  const changes = new Changes();
  let digest: string | undefined = first;
  const change = (path: DataPath, run: () => void): void => {
    refuseReserved(path);
    run();
    digest = undefined;
  };
  return {
    digest: () => {
      digest ??= after(first, changes.digest());
      return digest;
    },
    setData: (path, json) =>
      change(path, () => {
        program.setData(path, json);
        changes.put(path, hash('sha256', json, 'hex'), (way) => !isKnown(value, way));
      }),
    removeData: (path) =>
      change(path, () => {
        program.removeData(path);
        changes.remove(path, isKnown(value, path));
      }),
  };
}

const after = (first: string, changes: string | undefined): string =>
  changes === undefined ? first : hash('sha256', `${first}\n${changes}\n`, 'hex');

function refuseReserved(path: DataPath): void {
  if (path.length === 0)
    throw new EngineError('POLICY_DATA', 'all data of a policy cannot be replaced: name a path in it');
  if (path[0] === 'countersign')
    throw new EngineError('POLICY_DATA', 'data may not set "countersign", where parameters live');
}

/** Whether a document has something at a path. */
export function isKnown(document: unknown, path: DataPath): boolean {
  let value: unknown = document;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
      return false;
    value = Reflect.get(value, name);
  }
  return true;
}
