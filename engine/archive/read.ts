// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import { gunzip } from './gzip.ts';
import { BLOCK, type Header, isZero, readHeader } from './header.ts';
import { ARCHIVE_LIMITS, type ArchiveLimits } from './limits.ts';
import { forbidden, memberPath } from './name.ts';
import { type Extended, readPax, textOf } from './pax.ts';

/** One file of an archive; `path` is relative to its root, without `.` and `..`. */
export interface ArchiveFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads a `.tar.gz` in memory, in the order of the archive. Nothing is written anywhere.
 * @throws {EngineError} BUNDLE_ARCHIVE | BUNDLE_ENTRY | BUNDLE_TOO_LARGE
 */
export function readArchive(
  bytes: Uint8Array,
  name: string,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): readonly ArchiveFile[] {
  return readTar(gunzip(bytes, name, limits), name, limits);
}

/**
 * Reads a tar file: plain files and folders only; links, devices and sparse files are refused, and so is a path that stands twice
 * or is both a file and a folder.
 * @throws {EngineError} BUNDLE_ARCHIVE | BUNDLE_ENTRY | BUNDLE_TOO_LARGE
 */
export function readTar(
  bytes: Uint8Array,
  name: string,
  limits: ArchiveLimits = ARCHIVE_LIMITS,
): readonly ArchiveFile[] {
  const reader = new TarReader(bytes, name, limits);
  while (reader.next());
  return reader.files;
}

const MAX_EXTENDED_BYTES = 64 * 1024;

class TarReader {
  readonly files: ArchiveFile[] = [];
  readonly #bytes: Uint8Array;
  readonly #name: string;
  readonly #limits: ArchiveLimits;
  readonly #paths = new Map<string, 'file' | 'folder'>();
  #at = 0;
  #entries = 0;
  /** What extended headers said of the next member. */
  #next: Extended = {};

  constructor(bytes: Uint8Array, name: string, limits: ArchiveLimits) {
    this.#bytes = bytes;
    this.#name = name;
    this.#limits = limits;
  }

  /** Reads one member; false at the end. */
  next(): boolean {
    const block = this.#take(BLOCK);
    if (isZero(block)) return this.#end();
    const header = readHeader(block);
    if (typeof header === 'string') throw this.#damaged(header);
    if (++this.#entries > this.#limits.maxEntries)
      throw new EngineError(
        'BUNDLE_TOO_LARGE',
        `archive ${JSON.stringify(this.#name)} has more than ${this.#limits.maxEntries} entries`,
      );
    this.#member(header);
    return true;
  }

  /** Two blocks of zeros end an archive; what ends without them was cut, and what follows them nobody would look at. */
  #end(): false {
    if (!isZero(this.#take(BLOCK))) throw this.#damaged('its end is malformed');
    if (this.#next.path !== undefined || this.#next.size !== undefined)
      throw this.#damaged('an extended header has no member');
    if (!isZero(this.#bytes.subarray(this.#at))) throw this.#damaged('bytes follow its end');
    return false;
  }

  #member(header: Header): void {
    switch (header.type) {
      case 'x':
        this.#extend(this.#pax(header));
        break;
      case 'g':
        this.#global(header);
        break;
      case 'L':
        this.#extend({ path: this.#longName(header) });
        break;
      case '0':
      case '5':
        this.#keep({ ...header, name: this.#next.path ?? header.name, size: this.#next.size ?? header.size });
        break;
      default:
        throw forbidden(
          this.#name,
          this.#next.path ?? header.name,
          `it is ${KINDS[header.type] ?? 'of an unknown kind'}`,
        );
    }
  }

  #extend(extended: Extended): void {
    if (this.#next.path !== undefined && extended.path !== undefined)
      throw this.#damaged('a member has two long names');
    this.#next = { ...this.#next, ...extended };
  }

  #keep({ name, size, type }: Header): void {
    this.#next = {};
    const path = memberPath(this.#name, name, this.#limits);
    if (type === '5' && size !== 0) throw this.#damaged(`folder ${JSON.stringify(name)} has content`);
    const bytes = this.#content(size);
    if (type === '5') {
      this.#claim(path, 'folder');
      return;
    }
    if (path === '' || name.endsWith('/')) throw forbidden(this.#name, name, 'it is a file without a name');
    this.#claim(path, 'file');
    this.files.push({ path, bytes });
  }

  /** Every folder above counts too, so that nothing is a file for one reader and a folder for another. */
  #claim(path: string, kind: 'file' | 'folder'): void {
    const known = this.#paths.get(path);
    if (kind === 'file' && known !== undefined) throw forbidden(this.#name, path, 'its path stands twice');
    for (let at: string | undefined = parentOf(path); at !== undefined; at = parentOf(at)) {
      if (this.#paths.get(at) === 'file')
        throw forbidden(this.#name, path, `${JSON.stringify(at)} is a file`);
      this.#paths.set(at, 'folder');
    }
    if (known === 'file') throw forbidden(this.#name, path, 'its path stands twice');
    if (path !== '') this.#paths.set(path, kind);
  }

  #pax(header: Header): Extended {
    const extended = readPax(this.#extendedBytes(header));
    if (typeof extended === 'string') throw forbidden(this.#name, header.name, extended);
    return extended;
  }

  /** Archives of Git begin with a global header that holds a comment; anything that would change members is refused. */
  #global(header: Header): void {
    const { path, size } = this.#pax(header);
    if (path !== undefined || size !== undefined)
      throw forbidden(this.#name, header.name, 'a global header changes all members');
  }

  #longName(header: Header): string {
    const bytes = this.#extendedBytes(header);
    const end = bytes.indexOf(0);
    const text = textOf(end < 0 ? bytes : bytes.subarray(0, end));
    if (text === undefined) throw this.#damaged('the name of a member is no UTF-8');
    return text;
  }

  #extendedBytes(header: Header): Uint8Array {
    if (header.size > MAX_EXTENDED_BYTES)
      throw forbidden(this.#name, header.name, `its extended header has ${header.size} bytes`);
    return this.#content(header.size);
  }

  #content(size: number): Uint8Array {
    const content = this.#take(size);
    const padding = (BLOCK - (size % BLOCK)) % BLOCK;
    this.#take(padding);
    return content;
  }

  #take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw this.#damaged('it ends too early');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  #damaged(why: string): EngineError {
    return new EngineError('BUNDLE_ARCHIVE', `archive ${JSON.stringify(this.#name)} is damaged: ${why}`, {
      hint: 'a bundle is a gzip-compressed tar file; fetch or build it again',
    });
  }
}

const KINDS: Readonly<Record<string, string>> = {
  '1': 'a link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '6': 'a pipe',
  K: 'a link with a long name',
  S: 'a sparse file',
};

function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? undefined : path.slice(0, slash);
}
