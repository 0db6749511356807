// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../../error.ts';
import { isOutOfMemory } from '../failure.ts';
import type { Machine } from '../machine.ts';
import { refuse } from '../meter/index.ts';
import { Area, classOf } from './area.ts';
import { Directory, type Leaf, type Node, release, type Segment } from './directory.ts';
import { checkLayout, isObject, membersOf, PROBE } from './layout.ts';

/** Where in the data: names of members, outermost first. */
export type DataPath = readonly string[];

/** What a store needs to begin and to grow. */
export interface StoreRequest {
  /** Starts a machine whose memory has this many bytes for data below its heap. */
  readonly start: (dataBytes: number) => Machine;
  /** The most that data may take, in bytes of memory. */
  readonly max: number;
}

const FIRST_CAPACITY = 1024 * 1024;
/** What parsing takes for a byte of JSON, roughly. Untouched memory costs nothing. */
const BYTES_PER_BYTE = 16;
/** Data up to this size is part of what is rewound before every evaluation. */
const REWOUND_BYTES = 64 * 1024;
const NAME_ROOM = 256;
const MAX_NAMES = 100;

/**
 * The data of a program, in the memory of its base machine, below the heap of evaluations. A document lies in a segment of its own
 * as the module's parser made it; the objects on the way to what was changed are laid out by us (`Directory`). OPA's evaluator
 * never writes to data: what `with` changes is copied first, nothing of it is ever freed, and its values cache nothing. So
 * evaluations rewind only what lies below the data, however large that is. (A module of another compiler could write there; it could
 * as well answer whatever it likes.)
 */
export class Store {
  readonly #request: StoreRequest;
  #capacity: number;
  #machine: Machine;
  #area: Area;
  #root: Node;
  #isChecked = false;

  /** @throws {EngineError} POLICY_DATA when the data is no JSON object | POLICY_LIMIT when it does not fit | POLICY_MODULE */
  constructor(request: StoreRequest, data: Uint8Array) {
    this.#request = request;
    this.#capacity = Math.min(capacityFor(BYTES_PER_BYTE * data.length), request.max);
    this.#machine = request.start(this.#capacity);
    this.#area = new Area(this.#machine.memory, this.#machine.dataStart, this.#capacity);
    this.#root = this.#object(this.#parse(data));
    this.#settle();
  }

  /** The machine that holds the data. It is another one once the data has outgrown it. */
  get machine(): Machine {
    return this.#machine;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Address of the whole data. */
  get root(): number {
    return this.#root.value;
  }

  /** Brings the data into another machine of the same capacity. */
  copyTo(machine: Machine, isNew: boolean): void {
    this.#area.copyTo(machine.memory(), isNew);
    machine.keep(this.#kept());
  }

  /**
   * Puts a document at a path; objects on the way are made where they are missing. The empty path is the whole data.
   * @throws {EngineError} POLICY_DATA when it is no JSON, or the path goes through what is no object | POLICY_LIMIT; nothing is
   * changed then
   */
  set(path: DataPath, json: Uint8Array): void {
    const names = namesOf(path);
    const leaf = this.#parse(json);
    try {
      this.#put(names, leaf);
    } catch (cause) {
      release(this.#area, leaf);
      throw cause;
    }
    this.#settle();
  }

  /** Takes away what is at a path, if anything is. @throws {EngineError} POLICY_DATA for the empty path */
  remove(path: DataPath): void {
    const [last, ...way] = namesOf(path).reverse();
    if (last === undefined) throw new EngineError('POLICY_DATA', 'all data cannot be removed: set it to {}');
    const parent = this.#find(way.reverse());
    const node = parent?.get(last);
    if (parent === undefined || node === undefined) return;
    parent.remove(last);
    release(this.#area, node);
    this.#settle();
  }

  #put(names: readonly Uint8Array[], leaf: Leaf): void {
    const [last, ...way] = [...names].reverse();
    if (last === undefined) {
      const old = this.#root;
      this.#root = this.#object(leaf);
      release(this.#area, old);
      return;
    }
    this.#check();
    const parent = this.#make(way.reverse(), last);
    const old = parent.get(last);
    parent.put(last, leaf);
    if (old !== undefined) release(this.#area, old);
  }

  /** The directory at a path, made where it is missing. Whatever can fail comes before anything is changed. */
  #make(way: readonly Uint8Array[], last: Uint8Array): Directory {
    const names = [...way, last];
    let directory = this.#open(this.#root, (opened) => {
      this.#root = opened;
    });
    for (const [index, name] of names.entries()) {
      const found = directory.get(name);
      if (index === way.length || found === undefined) {
        this.#reserve(directory.roomFor(name) + roomOf(names));
        return way.slice(index).reduce((parent, each) => {
          const made = new Directory(this.#area);
          parent.put(each, made);
          return made;
        }, directory);
      }
      directory = this.#openMember(directory, name, found);
    }
    return directory;
  }

  #find(way: readonly Uint8Array[]): Directory | undefined {
    this.#check();
    let directory = this.#open(this.#root, (opened) => {
      this.#root = opened;
    });
    for (const name of way) {
      const found = directory.get(name);
      if (found === undefined || !(found instanceof Directory || isObject(this.#area, found)))
        return undefined;
      directory = this.#openMember(directory, name, found);
    }
    return directory;
  }

  #openMember(parent: Directory, name: Uint8Array, node: Node): Directory {
    return this.#open(node, (opened) => parent.put(name, opened));
  }

  /** A document that is an object becomes a directory over what its members are already. */
  #open(node: Node, replace: (opened: Directory) => void): Directory {
    if (node instanceof Directory) return node;
    if (!isObject(this.#area, node))
      throw new EngineError('POLICY_DATA', 'the path goes through data that is no object');
    const members = membersOf(this.#area, node);
    this.#reserve(roomOf(members.map(({ name }) => name)) + 32 * members.length);
    const opened = new Directory(
      this.#area,
      members.map(({ name, value }) => [name, { value, segment: node.segment }]),
    );
    node.segment.uses += members.length;
    replace(opened);
    release(this.#area, node);
    return opened;
  }

  /** @throws {EngineError} POLICY_DATA when it cannot be read | POLICY_LIMIT */
  #parse(json: Uint8Array): Leaf {
    requireJson(json);
    const at = this.#area.top;
    const made = this.#parseAt(at, json);
    const bytes = made.end - at;
    const reused = this.#area.reuse(bytes);
    if (reused !== undefined) return this.#leaf(reused, bytes, this.#parseAt(reused, json));
    if (!this.#area.has(classOf(bytes))) {
      this.#reserve(classOf(bytes));
      return this.#parse(json);
    }
    return this.#leaf(this.#area.take(bytes), bytes, made);
  }

  #leaf(address: number, bytes: number, made: { readonly value: number; readonly end: number }): Leaf {
    if (made.end !== address + bytes) refuse('its parser takes different room at different places');
    this.#area.note(address, bytes);
    const segment: Segment = { address, bytes, uses: 1 };
    return { value: made.value, segment };
  }

  #parseAt(address: number, json: Uint8Array): { readonly value: number; readonly end: number } {
    for (;;) {
      try {
        const made = this.#machine.parseAt(address, json);
        if (made.value !== 0) return made;
      } catch (cause) {
        // OPA's parser gives up over half a surrogate, and at the limit of call depth.
        if (!isOutOfMemory(cause))
          throw this.#machine.fuelLeft() < 0n ? this.#tooMuch(cause) : unreadable(cause);
        this.#reserve(this.#capacity + 1);
        continue;
      }
      throw unreadable();
    }
  }

  #object(leaf: Leaf): Leaf {
    if (isObject(this.#area, leaf)) return leaf;
    throw new EngineError('POLICY_DATA', "the policy's data is no object");
  }

  /** Makes sure of room; takes a machine with more where there is too little. */
  #reserve(bytes: number): void {
    if (this.#area.has(bytes)) return;
    const needed = this.#area.top - this.#area.start + bytes;
    if (needed > this.#request.max)
      throw new EngineError(
        'POLICY_LIMIT',
        `the policy's data passes its limit of ${this.#request.max} bytes`,
      );
    const capacity = Math.min(capacityFor(needed), this.#request.max);
    const machine = this.#request.start(capacity);
    this.#area.copyTo(machine.memory(), true);
    this.#area.move(machine.memory, capacity);
    this.#machine = machine;
    this.#capacity = capacity;
  }

  #tooMuch(cause?: unknown): EngineError {
    const { max } = this.#request;
    return new EngineError('POLICY_LIMIT', `the policy's data passes its limit of ${max} bytes`, { cause });
  }

  #check(): void {
    if (this.#isChecked) return;
    const probe = this.#parse(PROBE);
    this.#reserve(FIRST_CAPACITY / 16);
    checkLayout(this.#area, probe);
    release(this.#area, probe);
    this.#isChecked = true;
  }

  #kept(): number {
    const { start, top } = this.#area;
    return top - start <= REWOUND_BYTES ? top : start;
  }

  #settle(): void {
    this.#machine.keep(this.#kept());
  }
}

/** Doubles, so that growing stays rare. */
function capacityFor(bytes: number): number {
  let capacity = FIRST_CAPACITY;
  while (capacity < bytes) capacity *= 2;
  return capacity;
}

/** Room for directories and elements with these names. */
const roomOf = (names: readonly Uint8Array[]): number =>
  names.reduce((sum, name) => sum + 2 * name.length + NAME_ROOM, 0);

function namesOf(path: DataPath): Uint8Array[] {
  if (path.length <= MAX_NAMES) return path.map(nameOf);
  throw new EngineError('POLICY_DATA', `a path of data has ${path.length} names, more than ${MAX_NAMES}`);
}

/** A lone surrogate has no UTF-8. */
function nameOf(name: string): Uint8Array {
  if (name.isWellFormed()) return Buffer.from(name);
  throw new EngineError('POLICY_DATA', `${JSON.stringify(name)} is no name of data`);
}

/** The module's parser ends where the first value ends, and takes what follows for nothing. */
function requireJson(json: Uint8Array): void {
  try {
    JSON.parse(Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8'));
  } catch (cause) {
    throw unreadable(cause);
  }
}

const unreadable = (cause?: unknown): EngineError =>
  new EngineError('POLICY_DATA', 'the policy cannot read its data: it is no JSON', { cause });
