// SPDX-License-Identifier: Apache-2.0
import type { PolicyReference } from '../decide/decision.ts';
import type { Finding, FindingObject, FindingResult } from '../decide/finding.ts';
import type { Enforcement } from '../decide/findings.ts';
import type { Document } from '../manifest/index.ts';
import { readObject } from '../record/normal.ts';
import type { CustomKinds } from './crd/index.ts';
import { standingOf } from './life.ts';
import type { Fault } from './reading.ts';
import { nearest } from './suggest.ts';
import { groupOf, KUBERNETES_MINOR, kindOf, kindsOfGroup } from './table.ts';

/** The rules that speak of an object's schema; a Project may set each to warn or audit. */
export const SCHEMA_RULES = [
  'schema.unknown-field',
  'schema.type',
  'schema.value',
  'schema.kind',
  'schema.version',
] as const;

type SchemaRule = (typeof SCHEMA_RULES)[number];

/** Kubernetes' schema, as one environment has it. */
export interface ObjectSchema {
  /** The minor version of Kubernetes 1 whose kinds are served. */
  readonly minor: number;
  /** What is wrong with an object, without places; nothing of what is no Kubernetes object. */
  findingsOf(document: Document, object: FindingObject): readonly Finding[];
  /** What was read beside the built-in kinds, which are the engine's. */
  readonly references: readonly PolicyReference[];
}

/** What a schema is opened with. */
export interface SchemaSettings {
  /** The minor version of Kubernetes 1 that the environment has; that of the compiled types where it is not known. */
  readonly minor?: number;
  /** CustomResourceDefinitions. */
  readonly customKinds?: CustomKinds;
  /** Whether a kind that is neither built in nor among them is a warning. */
  readonly areAllDefined?: boolean;
  readonly enforcement: Readonly<Record<string, Enforcement>>;
}

/**
 * Opens the schema. Built-in kinds are decoded as the API server's strict decoding does; fields are those of the compiled version, whatever
 * the environment has.
 */
export function openSchema(settings: SchemaSettings): ObjectSchema {
  const { minor = KUBERNETES_MINOR, customKinds, enforcement } = settings;
  return {
    minor,
    findingsOf: (document, object) =>
      said(document, { ...settings, minor }).flatMap((one) => findingOf(one, object, enforcement[one.rule])),
    references: customKinds === undefined ? [] : [customKinds.reference],
  };
}

interface Said {
  readonly rule: SchemaRule;
  readonly result: FindingResult;
  readonly message: string;
  readonly remedy?: string;
  readonly path: string;
}

function said(
  document: Document,
  { minor, customKinds, areAllDefined }: SchemaSettings & { readonly minor: number },
): readonly Said[] {
  const { id } = document;
  if (id === undefined) return [];
  const isBuiltIn = kindOf(id.apiVersion, id.kind) !== undefined;
  const standing =
    standingOf(id.apiVersion, id.kind, minor) ??
    (isBuiltIn ? undefined : customKinds?.standingOf(id.apiVersion, id.kind));
  const faults = isBuiltIn ? readObject(document).faults() : (customKinds?.faultsOf(document) ?? []);
  const isStrange =
    areAllDefined === true &&
    !isBuiltIn &&
    kindsOfGroup(groupOf(id.apiVersion)).length === 0 &&
    customKinds?.has(id.apiVersion, id.kind) !== true;
  return [
    ...(standing === undefined ? [] : [standing]),
    ...(isStrange ? [strange(id.apiVersion, id.kind)] : []),
    ...faults.slice(0, FAULTS_MAX).map(ofFault),
    ...(faults.length > FAULTS_MAX ? [more(faults.length - FAULTS_MAX)] : []),
  ];
}

/** Each finding is given a place, and nobody reads more of one object. */
const FAULTS_MAX = 100;

const more = (count: number): Said => ({
  rule: 'schema.unknown-field',
  result: 'fail',
  message: `${count} more fields and values are refused`,
  path: '',
});

const strange = (apiVersion: string, kind: string): Said => ({
  rule: 'schema.kind',
  result: 'warn',
  message: `no CustomResourceDefinition says what ${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)} is`,
  remedy: 'add its definition to the folder of --crds',
  path: '/kind',
});

const RULES = {
  field: 'schema.unknown-field',
  type: 'schema.type',
  value: 'schema.value',
} as const satisfies Record<Fault['is'], SchemaRule>;

function ofFault({ is, pointer, message, hint, known }: Fault): Said {
  const word = pointer
    .slice(pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
  const meant = known === undefined ? undefined : nearest(word, known);
  const remedy = meant === undefined ? hint : `did you mean ${JSON.stringify(meant)}?`;
  return {
    rule: RULES[is],
    result: 'fail',
    message,
    path: pointer,
    ...(remedy === undefined ? {} : { remedy }),
  };
}

const SEVERITIES = { fail: 'high', warn: 'medium', error: 'critical', skip: 'low' } as const;

function findingOf(one: Said, object: FindingObject, enforcement: Enforcement | undefined): Finding[] {
  const lowered = { deny: one.result, warn: 'warn', audit: 'skip' } as const;
  return [
    {
      ...one,
      result: enforcement === undefined ? one.result : lowered[enforcement],
      severity: SEVERITIES[one.result],
      controls: [],
      object,
    },
  ];
}
