// SPDX-License-Identifier: Apache-2.0
import type { Document, JsonValue, ObjectId, Remark, Source } from './document.ts';

/** What of a Document takes room. */
type Content = Pick<Document, 'json' | 'value'>;

/** Holds Documents without their content, which it reads from their file again: the last file that was asked for is kept. */
export interface Shelf {
  /** The Documents of a source that was just read, without content. */
  put(source: Source, documents: readonly Document[]): readonly Document[];
}

/** @param read gives the same Documents of a source each time */
export function openShelf(read: (source: Source) => readonly Document[]): Shelf {
  const same = once();
  let last: { readonly source: Source; readonly documents: readonly Document[] } | undefined;
  return {
    put: (source, documents) => {
      last = { source, documents };
      const contentAt = (at: number): Content => {
        if (last?.source !== source) last = { source, documents: read(source) };
        const document = last.documents[at];
        if (document === undefined) throw new RangeError(`${source.name} has no document ${at}`);
        return document;
      };
      return documents.map((document, at) => new Held(document, same(document.id), contentAt, at));
    },
  };
}

/** Of equal texts one: a hundred thousand objects are of few kinds and namespaces. */
function once(): (id: ObjectId | undefined) => ObjectId | undefined {
  const known = new Map<string, string>();
  const first = (text: string): string => {
    const found = known.get(text);
    if (found === undefined) known.set(text, text);
    return found ?? text;
  };
  return (id) =>
    id && {
      apiVersion: first(id.apiVersion),
      kind: first(id.kind),
      name: id.name,
      ...(id.namespace === undefined ? {} : { namespace: first(id.namespace) }),
    };
}

/** There may be very many of these: a class whose instances share their accessors, which are own members, so that a copy has them. */
class Held implements Document {
  declare readonly json: Uint8Array;
  declare readonly value: JsonValue;
  readonly isHeld = true;
  readonly id: ObjectId | undefined;
  readonly file: string;
  readonly line: number;
  readonly index: number;
  readonly pointer: string;
  declare readonly range?: readonly [start: number, end: number];
  declare readonly remarks?: readonly Remark[];
  readonly #contentAt: (at: number) => Content;
  readonly #at: number;

  static readonly #accessors = {
    json: {
      enumerable: true,
      get(this: Held): Uint8Array {
        return this.#contentAt(this.#at).json;
      },
    },
    value: {
      enumerable: true,
      get(this: Held): JsonValue {
        return this.#contentAt(this.#at).value;
      },
    },
  };

  constructor(
    { file, line, index, pointer, range, remarks }: Omit<Document, keyof Content>,
    id: ObjectId | undefined,
    contentAt: (at: number) => Content,
    at: number,
  ) {
    this.id = id;
    this.file = file;
    this.line = line;
    this.index = index;
    this.pointer = pointer;
    if (range !== undefined) this.range = range;
    if (remarks !== undefined) this.remarks = remarks;
    this.#contentAt = contentAt;
    this.#at = at;
    Object.defineProperties(this, Held.#accessors);
  }
}

let latest: { readonly of: symbol; readonly content: Content } | undefined;

/** A Document under another id, with the content that `change` makes: where it is held, anew for each that is asked about in turn. */
export function withContent(
  document: Document,
  id: ObjectId,
  change: (document: Document) => Content,
): Document {
  if (document.isHeld !== true) return { ...document, ...change(document), id };
  const of = Symbol();
  const content = (): Content => {
    if (latest?.of !== of) latest = { of, content: change(document) };
    return latest.content;
  };
  return new Held(document, id, content, 0);
}
