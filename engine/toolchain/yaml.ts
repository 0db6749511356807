// SPDX-License-Identifier: Apache-2.0
import { EngineError, type EngineErrorCode, type Problem } from '../error.ts';
import { loadProgram, type ProgramInstance } from './program.ts';

/** One document of a file, as kubectl reads it; documents that are empty or null are left out, as kubectl does. */
export interface YamlSection {
  /** Exact JSON: integers of 64 bits as they are, members ordered by key, valid UTF-8, at most 100 levels deep. */
  readonly json: Uint8Array;
  /** 1-based line of the file on which the document's content begins, after separators, comments and directives. */
  readonly startLine: number;
  /** Byte range in the file, with the comments around the document and without the separator that ends it. */
  readonly start: number;
  readonly end: number;
}

/** Why a part of a file is refused. */
export interface YamlFault {
  readonly code: EngineErrorCode;
  readonly message: string;
  readonly hint?: string;
  /** 1-based, in the file; the column is the first of the line that is not blank where the reader gives a line only. */
  readonly line: number;
  readonly column: number;
  /** Byte range of the document that is refused. */
  readonly start: number;
  readonly end: number;
}

/** A file that is refused, with every fault of every document in it. */
export class YamlError extends EngineError {
  readonly faults: readonly YamlFault[];

  constructor(file: string, faults: readonly [YamlFault, ...YamlFault[]], cause?: unknown) {
    const [{ code, message, hint, line, column }] = faults;
    super(code, message, {
      location: { file, line, column },
      problems: faults.length > 1 ? faults.map((fault) => problemOf(file, fault)) : [],
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
    this.name = 'YamlError';
    this.faults = faults;
  }
}

const problemOf = (file: string, { code, message, line, column }: YamlFault): Problem => ({
  message,
  code,
  location: { file, line, column },
});

/** The reader of kubectl 1.37: Kubernetes' own packages, compiled to WebAssembly. */
export interface YamlReader {
  /**
   * Reads one file of YAML or JSON. `bytes` must be UTF-8 of a size the caller accepts; `file` names it in errors.
   *
   * @throws {YamlError} INPUT_SYNTAX | INPUT_ENCODING | INPUT_DUPLICATE_KEY | INPUT_KEY | INPUT_NUMBER | INPUT_TOO_DEEP |
   *   INPUT_ALIASES | INPUT_TOO_LARGE
   * @throws {EngineError} TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST
   */
  read(bytes: Uint8Array, file?: string): readonly YamlSection[];
}

/**
 * Opens the reader; the program is loaded with the first read (about 45 ms) and runs in place, since depth and aliases
 * are bounded in it and size by the caller.
 */
export function openYamlReader(toolchainDirectory: string): YamlReader {
  let program: ProgramInstance | undefined;
  return {
    read: (bytes, file = '-') => {
      program ??= loadProgram(toolchainDirectory, 'yaml');
      return sectionsOf(bytes, file, answerOf(program, bytes, file));
    },
  };
}

/** Nesting of thousands of levels exhausts the stack, and very many nodes the memory, before the program can count them. */
function answerOf(program: ProgramInstance, bytes: Uint8Array, file: string): Uint8Array {
  try {
    return program.call(bytes);
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'TOOLCHAIN_FAILED') throw error;
    const place = { line: 1, column: 1, start: 0, end: bytes.length };
    if (error.cause instanceof RangeError && error.cause.message.includes('call stack'))
      throw new YamlError(file, [{ code: 'INPUT_TOO_DEEP', message: TOO_DEEP, ...place }], error);
    if (error.message.includes('out of memory'))
      throw new YamlError(file, [{ code: 'INPUT_TOO_LARGE', message: TOO_MANY_NODES, ...place }], error);
    throw error;
  }
}

const TOO_DEEP = 'nested deeper than 100 levels';
const TOO_MANY_NODES = 'more nodes than fit into memory';

const HEADER = 17;

/** The list in programs/yaml/read.go, in its order; a document is 0. */
const KINDS: readonly Pick<YamlFault, 'code' | 'hint'>[] = [
  { code: 'INPUT_SYNTAX' },
  { code: 'INPUT_SYNTAX' },
  { code: 'INPUT_DUPLICATE_KEY', hint: 'remove one of them: kubectl would silently take the last' },
  { code: 'INPUT_NUMBER', hint: 'quote it if it is text' },
  { code: 'INPUT_TOO_DEEP' },
  { code: 'INPUT_ALIASES' },
  {
    code: 'INPUT_SYNTAX',
    hint: 'begin each document with a line of ---',
  },
  { code: 'INPUT_TOO_LARGE', hint: 'write out what its aliases stand for, or split the file' },
  { code: 'INPUT_KEY', hint: 'quote it if it is what the key is called' },
  { code: 'INPUT_ENCODING' },
];

function sectionsOf(bytes: Uint8Array, file: string, answer: Uint8Array): readonly YamlSection[] {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  const sections: YamlSection[] = [];
  const faults: YamlFault[] = [];
  for (let at = 0; at < answer.length; ) {
    const [line, start, end, length] = [1, 5, 9, 13].map((field) => view.getUint32(at + field, true));
    if (line === undefined || start === undefined || end === undefined || length === undefined) break;
    const payload = answer.subarray(at + HEADER, at + HEADER + length);
    const kind = KINDS[view.getUint8(at)];
    if (kind === undefined)
      throw new EngineError('TOOLCHAIN_FAILED', 'the program "yaml" gave an unknown answer');
    if (view.getUint8(at) === 0) sections.push({ json: payload, startLine: line, start, end });
    else faults.push(faultOf(bytes, kind, { line, start, end }, new TextDecoder().decode(payload)));
    at += HEADER + length;
  }
  const [first, ...more] = faults;
  if (first !== undefined) throw new YamlError(file, [first, ...more]);
  return sections;
}

/** `line` is the document's first line, from which the readers count, or 0 where `start` is the very place. */
function faultOf(
  bytes: Uint8Array,
  kind: Pick<YamlFault, 'code' | 'hint'>,
  { line, start, end }: { line: number; start: number; end: number },
  text: string,
): YamlFault {
  const told = READER_LINE.exec(text);
  const place =
    line === 0 ? placeOf(bytes, start) : placeOfLine(bytes, start, line, Number(told?.groups?.['line'] ?? 1));
  return { ...kind, message: withoutAnchor(quoted(told?.groups?.['message'] ?? text)), ...place, start, end };
}

const READER_LINE = /^line (?<line>\d+): (?<message>.*)/;

/** A password that begins with a star is read as an alias: its text is told to nobody. */
const withoutAnchor = (message: string): string =>
  message.replace(/^unknown anchor '.*' referenced$/s, 'an alias names an anchor that is not there');

/** The readers' messages quote foreign text or part of it; what is not printable ASCII in them is escaped. */
const quoted = (text: string): string =>
  text.replace(/[^\x20-\x7e]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

const NEWLINE = 10;

/** The first byte of a line that is not blank; `line` counts from the one at byte `start`, which is line `first` of the file. */
function placeOfLine(bytes: Uint8Array, start: number, first: number, line: number) {
  let at = start;
  let count = 1;
  for (; count < line; count++) {
    const newline = bytes.indexOf(NEWLINE, at);
    if (newline < 0) break;
    at = newline + 1;
  }
  let content = at;
  while (bytes[content] === 0x20 || bytes[content] === 0x09) content++;
  return { line: first + count - 1, column: content - at + 1 };
}

function placeOf(bytes: Uint8Array, at: number) {
  let line = 1;
  let begin = 0;
  for (let newline = bytes.indexOf(NEWLINE); newline >= 0 && newline < at; ) {
    line++;
    begin = newline + 1;
    newline = bytes.indexOf(NEWLINE, begin);
  }
  return { line, column: new TextDecoder().decode(bytes.subarray(begin, at)).length + 1 };
}
