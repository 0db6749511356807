// SPDX-License-Identifier: Apache-2.0
// What Kubernetes' Go types say, as the `kube` program printed it (`npm run schema`); programs/kube/table.go describes the letters.
import table from './kubernetes.json' with { type: 'json' };

/** How a JSON value is read into a field; `struct` is an index into the table. */
export type FieldType =
  | { readonly is: Scalar }
  | { readonly is: 'pointer' | 'list' | 'map'; readonly item: FieldType }
  | { readonly is: 'struct'; readonly struct: number }
  | { readonly is: Alternative; readonly struct: number };

export type Scalar = (typeof SCALARS)[keyof typeof SCALARS];
export type Alternative = (typeof ALTERNATIVES)[keyof typeof ALTERNATIVES];

/** One field of a struct. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** Go's `omitempty` and `omitzero`. */
  readonly omitsEmpty: boolean;
  readonly omitsZero: boolean;
}

/** The fields of a Go struct in the order of their names, by UTF-16 code units. */
export interface Struct {
  readonly fields: ReadonlyMap<string, Field>;
}

/** When a kind is served: minor versions of Kubernetes 1; what is 0 is not known, or never. */
export interface Life {
  readonly introduced: number;
  readonly deprecated: number;
  readonly removed: number;
  /** `<apiVersion> <kind>`, or empty. */
  readonly replacement: string;
}

/** A built-in kind. */
export interface Kind extends Life {
  readonly struct: number;
  readonly isNamespaced: boolean;
}

const SCALARS = {
  s: 'string',
  b: 'boolean',
  i: 'int32',
  l: 'int64',
  f: 'number',
  Q: 'quantity',
  I: 'intOrString',
  T: 'time',
  M: 'microTime',
  R: 'raw',
  Y: 'bytes',
} as const;
const NESTED = { '*': 'pointer', '[': 'list', '{': 'map' } as const;
const ALTERNATIVES = { o: 'schemaOrBoolean', a: 'schemaOrList', n: 'schemaOrNames' } as const;

/** The version of Kubernetes whose types these are, and its minor number. */
export const KUBERNETES_VERSION: string = table.version;
export const KUBERNETES_MINOR = Number(table.version.split('.')[1]);

const kinds = new Map<string, readonly (string | number)[]>(Object.entries(table.kinds));
const gone = new Map<string, readonly (string | number)[]>(Object.entries(table.gone));
const structs = new Map<number, Struct>();

/** The built-in kind, if there is one of that version and name. */
export function kindOf(apiVersion: string, kind: string): Kind | undefined {
  const row = kinds.get(`${apiVersion} ${kind}`);
  if (row === undefined) return undefined;
  const [struct, isNamespaced, ...life] = row;
  return { struct: Number(struct), isNamespaced: isNamespaced === 1, ...lifeOf(life) };
}

/** The life of a kind that Kubernetes knows no more. */
export function goneKind(apiVersion: string, kind: string): Life | undefined {
  const row = gone.get(`${apiVersion} ${kind}`);
  return row === undefined ? undefined : lifeOf(row);
}

const lifeOf = ([introduced, deprecated, removed, replacement]: readonly (string | number)[]): Life => ({
  introduced: Number(introduced ?? 0),
  deprecated: Number(deprecated ?? 0),
  removed: Number(removed ?? 0),
  replacement: String(replacement ?? ''),
});

/** The kinds of a group, of all its versions; empty for a group that is not built in. */
export function kindsOfGroup(
  group: string,
): readonly { readonly apiVersion: string; readonly kind: string }[] {
  return [...kinds.keys()].flatMap((name) => {
    const [apiVersion = '', kind = ''] = name.split(' ');
    return groupOf(apiVersion) === group ? [{ apiVersion, kind }] : [];
  });
}

/** The part of an apiVersion before the slash; empty for the core group. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';

/** A struct by its index; read from its line when it is first asked for. */
export function structOf(index: number): Struct {
  const known = structs.get(index);
  if (known !== undefined) return known;
  const words = table.types[index]?.split(' ') ?? [];
  const fields = new Map<string, Field>();
  for (let at = 0; at + 1 < words.length; at += 2) {
    const name = words[at] ?? '';
    fields.set(name, fieldOf(name, words[at + 1] ?? ''));
  }
  const struct = { fields };
  structs.set(index, struct);
  return struct;
}

function fieldOf(name: string, text: string): Field {
  const flags = /^[?!]*/.exec(text)?.[0] ?? '';
  return {
    name,
    type: typeOf(text.slice(flags.length)),
    omitsEmpty: flags.includes('?'),
    omitsZero: flags.includes('!'),
  };
}

function typeOf(text: string): FieldType {
  const letter = text.slice(0, 1);
  const rest = text.slice(1);
  if (letter === '#') return { is: 'struct', struct: Number(rest) };
  for (const [key, is] of Object.entries(SCALARS)) if (key === text) return { is };
  for (const [key, is] of Object.entries(NESTED)) if (key === letter) return { is, item: typeOf(rest) };
  for (const [key, is] of Object.entries(ALTERNATIVES))
    if (key === letter) return { is, struct: Number(rest) };
  throw new TypeError(`the table of Kubernetes' types has an unknown type ${JSON.stringify(text)}`);
}
