// SPDX-License-Identifier: Apache-2.0
// Objects made of the table of types: mostly as a type wants them, now and then with what it refuses. Seeded, so that a run can be told again.

import kubernetes from '../../../engine/schema/kubernetes.json' with { type: 'json' };
import { type FieldType, type Struct, structOf } from '../../../engine/schema/table.ts';

export const KINDS: readonly string[] = Object.keys(kubernetes.kinds);

/** A small generator of pseudo-random numbers (xorshift, 32 bits). */
export function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export interface Options {
  /** How often a value is of a wrong type, or a field unknown: from 0 to 1. */
  readonly wrong: number;
  readonly random: () => number;
}

const MAX_DEPTH = 7;

const QUANTITIES = [
  '0',
  '1',
  '0.5',
  '500m',
  '1000m',
  '1Gi',
  '1024Mi',
  '1.5Gi',
  '0.1Gi',
  '1e3',
  '1E3',
  '12e-2',
  '1000',
  '1k',
  '1000k',
  '+1',
  '-1',
  '01',
  '1.',
  '.5',
  '1.G',
  '.5Gi',
  '0Gi',
  '-0',
  '+',
  '1000E',
  '9223372036854775807',
  '9223372036854775808',
  '9Ei',
  '8Ei',
  '100Ei',
  '1n',
  '0.1n',
  '0.0000000001',
  '-0.1n',
  '1.0000000005',
  '123456789012345678901234567890',
  '1.23456789012345Ki',
  '1023Ki',
  '1025',
  '0.5Ki',
  '1u',
  '100u',
  '1500',
  '1.500',
  '2048Ki',
  '-2Gi',
  '3Ti',
  '1.05Pi',
  '1E',
  '1e',
  '1ee',
  'm',
  '1 ',
  ' 1',
  '1Mi ',
  '1 Mi',
  '1mm',
  '1Ki1',
  '1e+3',
  '1e+',
  '0x1',
  '1000000000000000000000',
  '999999999999999999',
  '1000000000000000000',
  '100000000000000000Ki',
  '10000Pi',
  '1.1Ei',
  '0.000000001',
  '0.0000000015',
  '1e-9',
  '1e-10',
  '5e-10',
  '100m',
  '0.100',
  '00.5',
  '1_000',
  '٣',
  '',
] as const;
const TIMES = [
  '2024-02-29T12:00:00Z',
  '2023-02-29T12:00:00Z',
  '2024-01-01T9:00:00Z',
  '2024-01-01T09:00:00.123Z',
  '2024-01-01T09:00:00,5+02:00',
  '2024-01-01T00:30:00+01:00',
  '2024-01-01T09:00:00.123456Z',
  '2024-01-01T09:00:00.123456-07:30',
  '0001-01-01T00:00:00Z',
  '0001-01-01T00:00:00.000000Z',
  '2024-13-01T00:00:00Z',
  '2024-01-01',
  '2024-01-01T24:00:00Z',
  '2024-01-01T23:59:60Z',
  '2024-01-01T00:00:00+24:00',
  '2024-01-01T00:00:00+25:00',
  '2024-01-01t00:00:00z',
  '',
  'now',
  '0050-06-01T00:00:00Z',
  '2024-1-01T00:00:00Z',
  '2024-01-01T00:00:00.Z',
  '2024-01-01T00:00:00',
] as const;
const TEXTS = ['', 'a', 'web', 'é', '😀', 'a"b\\c', '\n', '<&>', '0', 'true', 'ClusterIP', '80%'] as const;
const BYTES = [
  '',
  'aGVsbG8=',
  'aGVsbG8',
  'aGVs\nbG8=',
  'aGVsbG9=',
  '****',
  'AA==',
  'AAA=',
  'AB==',
  [1, 2, 255],
  [256],
  [],
  [null],
  ['a'],
  [1.5],
] as const;
const NUMBERS = [
  0, 1, -1, 80, 2147483647, 2147483648, -2147483648, -2147483649, 9007199254740991, 1.5, 0.1, 1e20, -0.5,
] as const;
const ANY = [null, true, false, 0, 1, 1.5, 'x', '', [], {}, [1, 'a'], { b: 1, a: [null] }] as const;

export function pick<T>(items: readonly T[], random: () => number): T | undefined {
  return items[Math.floor(random() * items.length)];
}

/** One object of a kind `<apiVersion> <kind>`. */
export function objectOf(name: string, options: Options): Record<string, unknown> {
  const [apiVersion = '', kind = ''] = name.split(' ');
  const row = Object.entries(kubernetes.kinds).find(([key]) => key === name)?.[1];
  const made = structValue(structOf(Number(row?.[0])), options, 0);
  return { ...made, apiVersion, kind };
}

function structValue(struct: Struct, options: Options, depth: number): Record<string, unknown> {
  const { random } = options;
  const share = depth === 0 ? 0.9 : Math.min(0.6, 6 / struct.fields.size);
  const made: Record<string, unknown> = {};
  for (const { name, type } of struct.fields.values()) {
    if (random() < share) made[name] = fieldValue(type, options, depth);
  }
  if (random() < options.wrong)
    made[pick(['foo', 'Name', 'metdata', 'x/y~z', '__proto__x', 'status2'], random) ?? ''] = pick(
      ANY,
      random,
    );
  return made;
}

function fieldValue(type: FieldType, options: Options, depth: number): unknown {
  const { random } = options;
  if (random() < options.wrong / 4) return pick(ANY, random);
  if (random() < 0.03) return null;
  return anyOf(type, options, depth);
}

function anyOf(type: FieldType, options: Options, depth: number): unknown {
  const { random, wrong } = options;
  const isDeep = depth > MAX_DEPTH;
  const many = (): number => (isDeep ? 0 : Math.floor(random() * 3));
  switch (type.is) {
    case 'struct':
      return isDeep ? {} : structValue(structOf(type.struct), options, depth + 1);
    case 'pointer':
      return anyOf(type.item, options, depth);
    case 'list':
      return Array.from({ length: many() }, () => fieldValue(type.item, options, depth + 1));
    case 'map':
      return Object.fromEntries(
        Array.from({ length: many() }, () => [
          pick(['a', 'b/c', 'é', '😀', '\ue000', 'cpu', ''], random),
          fieldValue(type.item, options, depth + 1),
        ]),
      );
    case 'schemaOrBoolean':
      return pick(
        [true, false, { type: 'string', unknown: 1 }, { type: 5 }, wrong > 0 ? 'x' : true, { minLength: 1 }],
        random,
      );
    case 'schemaOrList':
      return pick(
        [{ type: 'string' }, [{ type: 'string' }, {}], [], 5, 'x', {}, { foo: 1 }, wrong > 0 ? [5] : []],
        random,
      );
    case 'schemaOrNames':
      return pick([{ type: 'string' }, ['a', 'b'], [], true, 5, null, {}, wrong > 0 ? [5] : []], random);
    case 'raw':
      return pick(ANY, random);
    case 'boolean':
      return random() < 0.5;
    case 'string':
      return pick(TEXTS, random);
    case 'quantity':
      return wrong > 0
        ? pick([...QUANTITIES, ...NUMBERS, true], random)
        : pick(['1', '0.5', '1Gi', 2, 0.25, '1e3'], random);
    case 'intOrString':
      return wrong > 0 ? pick([...NUMBERS, ...TEXTS], random) : pick([0, 80, '', 'http', '25%'], random);
    case 'time':
    case 'microTime':
      return wrong > 0 ? pick(TIMES, random) : pick(['2024-01-01T09:00:00.123456Z'], random);
    case 'bytes':
      return wrong > 0 ? pick(BYTES, random) : pick(['', 'aGVsbG8=', 'AA=='], random);
    case 'int32':
    case 'int64':
    case 'number':
      return wrong > 0 ? pick(NUMBERS, random) : pick([0, 1, -1, 80, 65535], random);
  }
}
