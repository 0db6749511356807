// SPDX-License-Identifier: Apache-2.0

/** What an extended header may change of the member after it. */
export interface Extended {
  readonly path?: string;
  /** In bytes. */
  readonly size?: number;
}

const KEPT: ReadonlySet<string> = new Set(['path', 'size']);
const UNDERSTOOD =
  /^(?:mtime|atime|ctime|uid|gid|uname|gname|comment|SCHILY\.(?:xattr\..+|dev|ino|nlink)|LIBARCHIVE\..+)$/;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const SPACE = 0x20;
const NEWLINE = 0x0a;

/**
 * Reads the records `<length> <key>=<value>\n` of a pax extended header, or returns why it is refused: a record that is malformed,
 * stands twice, or says something of links or sparse files that would change what the member is.
 * @see POSIX.1-2017 pax, "pax Header Block"
 */
export function readPax(bytes: Uint8Array): Extended | string {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const record = readRecord(bytes, at);
    if (record === undefined) return 'its extended header is malformed';
    const { key, value, end } = record;
    if (!KEPT.has(key) && !UNDERSTOOD.test(key))
      return `its extended header has the key ${JSON.stringify(key)}`;
    if (found.has(key)) return `its extended header has the key ${JSON.stringify(key)} twice`;
    found.set(key, value);
    at = end;
  }
  const [path, size] = [found.get('path'), found.get('size')];
  if (size !== undefined && !/^\d{1,15}$/.test(size)) return 'its extended header has no number for its size';
  return { ...(path === undefined ? {} : { path }), ...(size === undefined ? {} : { size: Number(size) }) };
}

function readRecord(
  bytes: Uint8Array,
  start: number,
): { readonly key: string; readonly value: string; readonly end: number } | undefined {
  const space = bytes.indexOf(SPACE, start);
  if (space < 0 || space - start > 8) return undefined;
  const digits = Buffer.from(bytes.subarray(start, space)).toString('latin1');
  const end = start + Number(digits);
  if (!/^[1-9]\d*$/.test(digits) || end > bytes.length || end <= space + 1 || bytes[end - 1] !== NEWLINE)
    return undefined;
  const text = textOf(bytes.subarray(space + 1, end - 1));
  const split = text?.indexOf('=') ?? -1;
  if (text === undefined || split < 1) return undefined;
  return { key: text.slice(0, split), value: text.slice(split + 1), end };
}

/** Bytes as UTF-8 text; undefined where they are none. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}
