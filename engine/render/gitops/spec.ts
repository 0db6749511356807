// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import {
  type Document,
  isObject,
  type JsonValue,
  locate,
  member,
  type Source,
} from '../../manifest/index.ts';

/** By member: what it does that is not done here, and what to do instead. */
export type Instead = Readonly<Record<string, readonly [why: string, hint: string]>>;

/** A value in a GitOps source, which knows where it stands, so that what is wrong with it can be pointed at. */
export class Spec {
  readonly value: JsonValue | undefined;
  readonly #document: Document;
  readonly #source: Source;
  readonly #pointer: string;

  constructor(document: Document, source: Source, value: JsonValue | undefined, pointer: string) {
    this.value = value;
    this.#document = document;
    this.#source = source;
    this.#pointer = pointer;
  }

  get isThere(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  at(key: string): Spec {
    const step = key.replaceAll('~', '~0').replaceAll('/', '~1');
    return new Spec(this.#document, this.#source, member(this.value, key), `${this.#pointer}/${step}`);
  }

  /** @throws {EngineError} RENDER_SOURCE for anything but text */
  text(): string | undefined {
    if (!this.isThere) return undefined;
    return typeof this.value === 'string' ? this.value : this.refuse('is no text');
  }

  needed(): string {
    return this.text() ?? this.refuse('is missing');
  }

  flag(): boolean {
    if (!this.isThere) return false;
    return typeof this.value === 'boolean' ? this.value : this.refuse('is neither true nor false');
  }

  list(): readonly Spec[] {
    if (!this.isThere) return [];
    const { value } = this;
    if (!Array.isArray(value)) return this.refuse('is no list');
    return value.map(
      (item: JsonValue, index) => new Spec(this.#document, this.#source, item, `${this.#pointer}/${index}`),
    );
  }

  texts(): readonly string[] {
    return this.list().map((item) => item.needed());
  }

  /** A map of text; numbers and booleans are no text, as Kubernetes has it. */
  map(): Readonly<Record<string, string>> | undefined {
    if (!this.isThere) return undefined;
    return Object.fromEntries(this.keys().map((key) => [key, this.at(key).needed()]));
  }

  object(): object {
    return isObject(this.value) ? this.value : this.refuse('is no map');
  }

  objects(): readonly object[] {
    return this.list().map((item) => item.object());
  }

  keys(): readonly string[] {
    if (!this.isThere) return [];
    return isObject(this.value) ? Object.keys(this.value) : this.refuse('is no map');
  }

  /**
   * Refuses members that are not known here: what a controller would do with them is not done, so the result would be another.
   * @param instead of members that are known and not done: what they do, and what to do instead
   */
  only(used: readonly string[], idle: readonly string[] = [], instead: Instead = {}): void {
    for (const key of this.keys()) {
      if (used.includes(key) || idle.includes(key)) continue;
      const [why, hint] = (Object.hasOwn(instead, key) ? instead[key] : undefined) ?? ['is not supported'];
      this.at(key).refuse(why, hint);
    }
  }

  refuse(why: string, hint?: string): never {
    const name = this.#pointer.slice(1).replaceAll('/', '.');
    throw new EngineError('RENDER_SOURCE', `${JSON.stringify(name)} ${why}`, {
      location: locate(this.#source, this.#document, this.#pointer),
      hint: hint ?? 'docs/render.md lists what of Flux and Argo CD is rendered',
    });
  }

  refuseRemote(what: string): never {
    throw new EngineError('RENDER_REMOTE', `${what} is remote, and nothing is fetched`, {
      location: locate(this.#source, this.#document, this.#pointer),
      hint: 'vendor it, and name its folder or archive with --chart PATH',
    });
  }
}
