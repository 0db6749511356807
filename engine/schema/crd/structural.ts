// SPDX-License-Identifier: Apache-2.0
// Structural schemas of CustomResourceDefinitions. Types, unknown fields and items that are there twice are told by a walk, with a
// field's neighbours at hand; limits, patterns, formats, lists of values and combinations by ajv. Rules in CEL are left to the API server.
import { compileSchema } from '../../context/schema.ts';
import { readTyped } from '../read.ts';
import { type Fault, isNumber, isRecord, pointerOf } from '../reading.ts';
import { kindOf, structOf } from '../table.ts';
import { formatOf } from './format.ts';
import { repeatedItems } from './lists.ts';
import { compilePattern, type Pattern, STEPS_MAX } from './pattern.ts';

type Schema = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

/**
 * Checks objects against one schema, as the API server does when fields are validated strictly. The function is given the object exact,
 * and with numbers that are doubles: limits of those are compared as doubles.
 * @throws Error for a schema that the API server would refuse, its patterns included
 */
export function compileStructural(schema: Schema): (exact: unknown, value: unknown) => readonly Fault[] {
  const budget = { steps: 0 };
  const patternOf = (pattern: string): Pattern => compilePattern(pattern, budget);
  const validate = compileSchema(asJsonSchema(schema), { formatOf, patternOf });
  return (exact, value) => {
    const faults = faultsOf({ ...schema, [EMBEDDED]: true }, exact, []);
    if (faults.some(({ is }) => is === 'type')) return faults;
    budget.steps = STEPS_MAX;
    return [
      ...faults,
      ...validate(value).map(({ pointer, message }): Fault => ({ is: 'value', pointer, message })),
    ];
  };
}

const EMBEDDED = 'x-kubernetes-embedded-resource';
const PRESERVING = 'x-kubernetes-preserve-unknown-fields';
const INT_OR_STRING = 'x-kubernetes-int-or-string';

function faultsOf(schema: Schema, value: unknown, path: Path): readonly Fault[] {
  if (value === null && (schema['nullable'] === true || path.length > 0)) return [];
  const expected = expectedOf(schema);
  if (expected !== undefined && !expected.accepts(value))
    return [{ is: 'type', pointer: pointerOf(path), message: `expected ${expected.words}` }];
  if (Array.isArray(value)) {
    const { items } = schema;
    const below = isRecord(items)
      ? value.flatMap((item: unknown, index) => faultsOf(items, item, [...path, index]))
      : [];
    return [...below, ...repeatedItems(schema, value, path)];
  }
  return isRecord(value) ? memberFaults(schema, value, path) : [];
}

/** The API server takes a null away that is not allowed, before it looks for what is required; a default would take its place. */
function isPruned(schema: Schema, own: unknown, key: string): boolean {
  const { required } = schema;
  if (!Array.isArray(required) || !required.includes(key) || !isRecord(own)) return false;
  return own['nullable'] !== true && !Object.hasOwn(own, 'default');
}

const missing = (path: Path, key: string): Fault => ({
  is: 'value',
  pointer: pointerOf(path),
  message: `must have required property '${key}'`,
});

function memberFaults(schema: Schema, value: Schema, path: Path): readonly Fault[] {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const { additionalProperties } = schema;
  const isOpen = schema[PRESERVING] === true || additionalProperties === true;
  const implied = schema[EMBEDDED] === true ? ['apiVersion', 'kind', 'metadata'] : [];
  const unnamed = implied.slice(0, 2).filter((key) => (value[key] ?? '') === '');
  const faults = Object.entries(value).flatMap(([key, item]) => {
    const at = [...path, key];
    if (item === null && isPruned(schema, properties[key], key)) return [missing(path, key)];
    if (key === 'metadata' && implied.length > 0) return metadataFaults(item, at);
    const own = Object.hasOwn(properties, key) ? properties[key] : additionalProperties;
    if (isRecord(own)) return faultsOf(own, item, at);
    if (isOpen || implied.includes(key)) return [];
    const known = [...Object.keys(properties), ...implied];
    return [
      {
        is: 'field',
        pointer: pointerOf(at),
        message: `unknown field ${JSON.stringify(key)}`,
        known,
      } as const,
    ];
  });
  return [...unnamed.map((key) => missing(path, key)), ...faults];
}

/** An object's metadata is Kubernetes' own, whatever the definition says. */
function metadataFaults(value: unknown, path: Path): readonly Fault[] {
  const type = structOf(kindOf('v1', 'ConfigMap')?.struct ?? 0).fields.get('metadata')?.type;
  if (type?.is !== 'struct') return [];
  const { faults } = readTyped(type.struct, { value, exact: () => value });
  return faults.map((fault) => ({ ...fault, pointer: `${pointerOf(path)}${fault.pointer}` }));
}

interface Expected {
  readonly words: string;
  readonly accepts: (value: unknown) => boolean;
}

const isInteger = (value: unknown): boolean => typeof value === 'bigint' || Number.isInteger(value);

const TYPES = new Map<unknown, Expected>([
  ['object', { words: 'a mapping', accepts: isRecord }],
  ['array', { words: 'a list', accepts: Array.isArray }],
  ['string', { words: 'text', accepts: (value) => typeof value === 'string' }],
  ['boolean', { words: 'true or false', accepts: (value) => typeof value === 'boolean' }],
  ['integer', { words: 'a whole number', accepts: isInteger }],
  ['number', { words: 'a number', accepts: isNumber }],
]);

const expectedOf = (schema: Schema): Expected | undefined =>
  schema[INT_OR_STRING] === true
    ? { words: 'a whole number or text', accepts: (value) => isInteger(value) || typeof value === 'string' }
    : TYPES.get(schema['type']);

/** What ajv looks at: the walk has told of types. */
const KEPT = [
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'multipleOf',
  'uniqueItems',
  'pattern',
];
const COMBINATIONS = ['allOf', 'anyOf', 'oneOf'] as const;

/** OpenAPI 3.0 as draft 2020-12: limits may be exclusive by a boolean, and a field with a default need not be there. */
function asJsonSchema(schema: Schema): object {
  const made: Record<string, unknown> = Object.fromEntries(
    Object.entries(schema).filter(([key]) => KEPT.includes(key)),
  );
  const { properties, items, required, additionalProperties, not, format } = schema;
  if (formatOf(format) !== undefined) made['format'] = format;
  if (schema['exclusiveMinimum'] === true) moveLimit(made, 'minimum', 'exclusiveMinimum');
  if (schema['exclusiveMaximum'] === true) moveLimit(made, 'maximum', 'exclusiveMaximum');
  if (isRecord(properties)) made['properties'] = mapped(properties);
  if (isRecord(items)) made['items'] = asJsonSchema(items);
  if (isRecord(additionalProperties)) made['additionalProperties'] = asJsonSchema(additionalProperties);
  if (isRecord(not)) made['not'] = { ...asJsonSchema(not), ...typeOf(not) };
  if (Array.isArray(required))
    made['required'] = required.filter((name: unknown) => !hasDefault(properties, name));
  for (const key of COMBINATIONS) {
    const parts = schema[key];
    if (Array.isArray(parts))
      made[key] = parts.map((part: unknown) =>
        isRecord(part) ? { ...asJsonSchema(part), ...typeOf(part) } : {},
      );
  }
  return schema['nullable'] === true ? { anyOf: [{ type: 'null' }, made] } : made;
}

const mapped = (schemas: Schema): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(schemas).map(([key, one]) => [key, isRecord(one) ? asJsonSchema(one) : {}]),
  );

/** Inside a combination a type chooses between its parts. */
const typeOf = ({ type }: Schema): object => (typeof type === 'string' ? { type } : {});

const hasDefault = (properties: unknown, name: unknown): boolean => {
  const property = isRecord(properties) && typeof name === 'string' ? properties[name] : undefined;
  return isRecord(property) && Object.hasOwn(property, 'default');
};

function moveLimit(schema: Record<string, unknown>, from: string, to: string): void {
  schema[to] = schema[from];
  delete schema[from];
}
