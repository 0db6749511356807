// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { PolicyReference } from '../../decide/decision.ts';
import { EngineError } from '../../error.ts';
import type { Document } from '../../manifest/index.ts';
import { canonicalBytes, parseExact } from '../../record/canonical.ts';
import { newest, type Standing } from '../life.ts';
import { type Fault, isRecord } from '../reading.ts';
import { compileStructural } from './structural.ts';

/** The kinds that CustomResourceDefinitions define. */
export interface CustomKinds {
  has(apiVersion: string, kind: string): boolean;
  /** Undefined for a kind that is not defined. */
  isNamespaced(apiVersion: string, kind: string): boolean | undefined;
  /** What the object's own definition refuses; none where it has no definition, or one without a schema. */
  faultsOf(document: Document): readonly Fault[];
  /** What the definition says of this version: one that is not served fails, a deprecated one warns. */
  standingOf(apiVersion: string, kind: string): Standing | undefined;
  /** Whether the definition has rules in CEL, which are left to the API server. */
  hasRules(apiVersion: string, kind: string): boolean;
  readonly reference: PolicyReference;
}

interface Definition {
  readonly isNamespaced: boolean;
  readonly schema: unknown;
  readonly hasRules: boolean;
  readonly standing: Standing | undefined;
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
    standingOf: (apiVersion, kind) => definitions.get(`${apiVersion} ${kind}`)?.standing,
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
  const read = versions.flatMap((version) => versionOf(version, group, kind) ?? []);
  const best = newest(
    read
      .filter(({ isServed, isDeprecated }) => isServed && !isDeprecated)
      .map(({ apiVersion }) => apiVersion),
  );
  for (const { name, schema, ...version } of read) {
    const standing = standingIn({ name, ...version }, best);
    yield [name, { isNamespaced: scope === 'Namespaced', schema, hasRules: hasRules(schema), standing }];
  }
}

/** One version of a definition. */
interface Version {
  /** `<apiVersion> <kind>` */
  readonly name: string;
  readonly apiVersion: string;
  readonly isServed: boolean;
  readonly isDeprecated: boolean;
  /** What the API server warns of instead of its usual sentence. */
  readonly warning: string | undefined;
  readonly schema: unknown;
}

function versionOf(version: unknown, group: string, kind: string): Version | undefined {
  if (!isRecord(version) || typeof version['name'] !== 'string') return undefined;
  const { schema, served, deprecated, deprecationWarning } = version;
  const apiVersion = `${group}/${version['name']}`;
  return {
    name: `${apiVersion} ${kind}`,
    apiVersion,
    isServed: served !== false,
    isDeprecated: deprecated === true,
    warning: typeof deprecationWarning === 'string' ? deprecationWarning : undefined,
    schema: isRecord(schema) ? schema['openAPIV3Schema'] : undefined,
  };
}

function standingIn(version: Omit<Version, 'schema'>, best: string): Standing | undefined {
  const { name, isServed, isDeprecated, warning } = version;
  const remedy = best === '' ? {} : { remedy: `use ${best}` };
  const base = { rule: 'schema.version', path: '/apiVersion', ...remedy } as const;
  if (!isServed) return { ...base, result: 'fail', message: `${name} is not served: its definition says so` };
  if (!isDeprecated) return undefined;
  const why = warning === undefined ? '' : `: ${JSON.stringify(warning)}`;
  return { ...base, result: 'warn', message: `${name} is deprecated, as its definition says${why}` };
}
