// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { PolicyReference } from '../../decide/decision.ts';
import { EngineError } from '../../error.ts';
import type { Document } from '../../manifest/index.ts';
import { canonicalBytes, parseExact } from '../../record/canonical.ts';
import { type Fault, isRecord } from '../reading.ts';
import { compileStructural } from './structural.ts';

/** The kinds that CustomResourceDefinitions define. */
export interface CustomKinds {
  has(apiVersion: string, kind: string): boolean;
  /** Undefined for a kind that is not defined. */
  isNamespaced(apiVersion: string, kind: string): boolean | undefined;
  /** What the object's own definition refuses; none where it has no definition, or one without a schema. */
  faultsOf(document: Document): readonly Fault[];
  /** Whether the definition has rules in CEL, which are left to the API server. */
  hasRules(apiVersion: string, kind: string): boolean;
  readonly reference: PolicyReference;
}

interface Definition {
  readonly isNamespaced: boolean;
  readonly schema: unknown;
  readonly hasRules: boolean;
}

type Check = ReturnType<typeof compileStructural>;

/**
 * Reads the CustomResourceDefinitions (`apiextensions.k8s.io/v1`) among documents; all others are passed over. Of two that define the
 * same kind the first counts. A definition's schema is compiled when the first object of its kind is looked at.
 */
export function readCustomKinds(documents: readonly Document[]): CustomKinds {
  const definitions = new Map<string, Definition>();
  const checks = new Map<string, Check>();
  const own = documents.filter(isDefinition);
  for (const { value } of own)
    for (const [name, definition] of definitionsOf(value))
      if (!definitions.has(name)) definitions.set(name, definition);
  const digest = hash(
    'sha256',
    own.map(({ json }) => `${hash('sha256', canonicalBytes(json), 'hex')}\n`).join(''),
    'hex',
  );
  return {
    has: (apiVersion, kind) => definitions.has(`${apiVersion} ${kind}`),
    isNamespaced: (apiVersion, kind) => definitions.get(`${apiVersion} ${kind}`)?.isNamespaced,
    hasRules: (apiVersion, kind) => definitions.get(`${apiVersion} ${kind}`)?.hasRules === true,
    faultsOf: ({ id, json, value }) => {
      const name = `${id?.apiVersion} ${id?.kind}`;
      const definition = definitions.get(name);
      if (definition === undefined || !isRecord(definition.schema)) return [];
      const check = checks.get(name) ?? compiled(name, definition.schema);
      checks.set(name, check);
      return check(parseExact(json), value);
    },
    reference: { name: 'crds', revision: `${own.length} definitions`, digest, sources: digest },
  };
}

/** @throws {EngineError} INPUT_SHAPE */
function compiled(name: string, schema: Readonly<Record<string, unknown>>): Check {
  try {
    return compileStructural(schema);
  } catch (cause) {
    throw new EngineError('INPUT_SHAPE', `the definition of ${JSON.stringify(name)} has no usable schema`, {
      hint: 'kubectl apply --dry-run=server says what is wrong with it',
      cause,
    });
  }
}

/** Whether the word stands as a key anywhere in a schema; a property may be called so, and then too much is said. */
function hasRules(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(hasRules);
  if (!isRecord(schema)) return false;
  return Object.hasOwn(schema, 'x-kubernetes-validations') || Object.values(schema).some(hasRules);
}

/** Whether a document is a definition that `readCustomKinds` reads. */
export const isDefinition = ({ id }: Document): boolean =>
  id?.apiVersion === 'apiextensions.k8s.io/v1' && id.kind === 'CustomResourceDefinition';

function* definitionsOf(value: unknown): Generator<readonly [string, Definition]> {
  const spec = isRecord(value) ? value['spec'] : undefined;
  if (!isRecord(spec)) return;
  const { group, names, scope, versions } = spec;
  const kind = isRecord(names) ? names['kind'] : undefined;
  if (typeof group !== 'string' || typeof kind !== 'string' || !Array.isArray(versions)) return;
  for (const version of versions) {
    if (!isRecord(version) || typeof version['name'] !== 'string') continue;
    const schema = isRecord(version['schema']) ? version['schema']['openAPIV3Schema'] : undefined;
    yield [
      `${group}/${version['name']} ${kind}`,
      { isNamespaced: scope === 'Namespaced', schema, hasRules: hasRules(schema) },
    ];
  }
}
