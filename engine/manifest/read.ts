// SPDX-License-Identifier: Apache-2.0
import { EngineError, type Problem } from '../error.ts';
import { YamlError, type YamlReader, type YamlSection } from '../toolchain/yaml.ts';
import {
  type Document,
  idOf,
  type JsonValue,
  type Remark,
  refuseUnlistable,
  type Source,
} from './document.ts';
import { byteFault } from './encoding.ts';
import { readFast } from './fast/index.ts';
import { aliasTooMany, refine, remarksOn } from './faults/index.ts';
import { openShelf } from './held.ts';
import { flatten } from './list.ts';
import { withOrigin } from './locate.ts';
import { regionOf } from './region.ts';

/** Of so many bytes of files the Documents are kept whole; those of the files after them are held (`held.ts`). */
const KEEP_BYTES = 8 * 1024 * 1024;
/** What a Document costs beside its text. */
const DOCUMENT_COSTS = 1024;

/**
 * Reads every document of every source as kubectl would, Lists replaced by their items, in the order of the sources.
 *
 * Limits of a file: 32 MiB, valid UTF-8 without NUL; of a YAML document: 100 levels, 100 aliases; of Lists: 8 in each other. A value of
 * any other kind (array, string, object without kind) is a Document without id. Two equal objects are no error here.
 *
 * However many objects there are, memory holds the content of some: the others are read a second time when they are looked at.
 *
 * @param onProgress told after each source how many of them are read
 * @throws {EngineError} INPUT_EMPTY | INPUT_SYNTAX | INPUT_ENCODING | INPUT_SHAPE | INPUT_TOO_LARGE | INPUT_TOO_DEEP |
 *   INPUT_DUPLICATE_KEY | INPUT_KEY | INPUT_ALIASES | INPUT_NUMBER: the first fault, with all faults of all sources as `problems` when
 *   there are several; TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST
 */
export function readDocuments(
  sources: readonly Source[],
  reader: YamlReader,
  onProgress?: (done: number, total: number) => void,
): readonly Document[] {
  const faults: EngineError[] = [];
  const documents: Document[] = [];
  const shelf = openShelf((source) => readSource(source, reader));
  let size = 0;
  for (const [index, source] of sources.entries()) {
    // Not in the try: a file that cannot be read ends the run, whatever is wrong in others.
    size += source.bytes.length;
    try {
      const read = readSource(source, reader);
      size += read.length * DOCUMENT_COSTS;
      for (const document of size > KEEP_BYTES ? shelf.put(source, read) : read) documents.push(document);
    } catch (error) {
      if (!(error instanceof EngineError) || !error.code.startsWith('INPUT_')) throw error;
      faults.push(withOrigins(error, source));
    }
    onProgress?.(index + 1, sources.length);
  }
  const [first] = faults;
  if (first !== undefined) throw faults.length === 1 ? first : together(first, faults);
  if (documents.length === 0) throw nothing(sources);
  return documents;
}

/** A fault in a rendered stream names the template or resource file too. */
function withOrigins(error: EngineError, source: Source): EngineError {
  const { location, problems } = error;
  if (source.origins === undefined || location === undefined) return error;
  return new EngineError(error.code, error.message, {
    location: withOrigin(location, source),
    problems: problems.map((problem) =>
      problem.location === undefined
        ? problem
        : { ...problem, location: withOrigin(problem.location, source) },
    ),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}

function together(first: EngineError, faults: readonly EngineError[]): EngineError {
  return new EngineError(first.code, first.message, {
    ...(first.location === undefined ? {} : { location: first.location }),
    ...(first.hint === undefined ? {} : { hint: first.hint }),
    problems: faults.flatMap((fault) => (fault.problems.length > 0 ? fault.problems : [asProblem(fault)])),
    cause: faults,
  });
}

const asProblem = ({ message, code, location }: EngineError): Problem => ({
  message,
  code,
  ...(location === undefined ? {} : { location }),
});

const utf8 = new TextDecoder();

const NAMES_SHOWN = 3;

/** Nothing to check is never a pass. */
function nothing(sources: readonly Source[]): EngineError {
  const shown = sources.slice(0, NAMES_SHOWN).map(({ name }) => JSON.stringify(name));
  const more = sources.length > NAMES_SHOWN ? ` and ${sources.length - NAMES_SHOWN} more` : '';
  const where = sources.length === 0 ? '' : ` in ${shown.join(', ')}${more}`;
  const [only, second] = sources;
  return new EngineError('INPUT_EMPTY', `there are no documents${where}`, {
    hint: 'name files that hold at least one object',
    ...(only === undefined || second !== undefined
      ? {}
      : { location: { file: only.name, line: 1, column: 1 } }),
  });
}

function readSource(source: Source, reader: YamlReader): readonly Document[] {
  refuseBytes(source);
  const ordinary = readFast(source.bytes);
  if (ordinary !== undefined)
    return ordinary.flatMap((section, index) => documentsOf(source, section, index));
  return sectionsOf(source, reader).flatMap((section, index) => {
    refuseAliases(source, section);
    const remarks = remarksOn(source.bytes, [section.start, section.end]);
    return documentsOf(source, section, index).map((document) => withRemarks(document, remarks));
  });
}

/** The remarks on an item of a list are those below its pointer. */
function withRemarks(document: Document, remarks: readonly Remark[]): Document {
  const own = remarks.flatMap(({ pointer, ...said }) =>
    pointer.startsWith(`${document.pointer}/`)
      ? [{ ...said, pointer: pointer.slice(document.pointer.length) }]
      : [],
  );
  return own.length === 0 ? document : { ...document, remarks: own };
}

function refuseBytes({ name, bytes }: Source): void {
  const fault = byteFault(bytes);
  if (fault === undefined) return;
  const before = regionOf(bytes, [0, fault.at]);
  const place = before.place(before.text.length);
  throw new EngineError(fault.code, fault.message, { hint: fault.hint, location: { file: name, ...place } });
}

function sectionsOf({ name, bytes }: Source, reader: YamlReader): readonly YamlSection[] {
  try {
    return reader.read(bytes, name);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    const [first, ...more] = error.faults;
    if (first === undefined) throw error;
    throw new YamlError(name, [refine(first, bytes), ...more.map((fault) => refine(fault, bytes))], error);
  }
}

function refuseAliases({ name, bytes }: Source, { start, end }: YamlSection): void {
  const excess = aliasTooMany(bytes, [start, end]);
  if (excess === undefined) return;
  throw new EngineError('INPUT_ALIASES', 'the document has more than 100 aliases', {
    hint: 'write out what they stand for',
    location: { file: name, ...excess },
  });
}

function documentsOf(source: Source, section: YamlSection, index: number): readonly Document[] {
  const range = [section.start, section.end] as const;
  const file = source.name;
  const value: JsonValue = JSON.parse(utf8.decode(section.json));
  const document = {
    json: section.json,
    value,
    id: idOf(value),
    file,
    line: section.startLine,
    index,
    pointer: '',
    range,
  };
  try {
    const documents = flatten(document);
    documents.forEach(refuseUnlistable);
    return documents;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const { code, message, hint } = error;
    throw new EngineError(code, message, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
      location: { file, line: section.startLine, column: 1 },
    });
  }
}
