// SPDX-License-Identifier: Apache-2.0
import type { Judgement } from '../change.ts';
import { decide } from '../decide/decision.ts';
import type { Finding } from '../decide/finding.ts';
import { EngineError } from '../error.ts';
import { type Document, locate, readDocuments, type Source } from '../manifest/index.ts';
import { objectOf } from '../record/set.ts';
import type { YamlReader } from '../toolchain/yaml.ts';

const utf8 = new TextDecoder();

/** The same judgement with the findings about objects that are others each time. */
export function withUnstable(judgement: Judgement, findings: readonly Finding[]): Judgement {
  if (findings.length === 0) return judgement;
  const { decision } = judgement;
  return { ...judgement, decision: decide({ ...decision, findings: [...decision.findings, ...findings] }) };
}

/**
 * A record approves exactly what was judged, and of these objects something else will be applied.
 * @throws {EngineError} RENDER_UNSTABLE: the first object, with one problem for each when there are several
 */
export function refuseUnstable(findings: readonly Finding[]): void {
  const problems = findings.map(({ object, location }) => ({
    message: `${object.kind} ${JSON.stringify(object.name)} is another each time it is rendered, so it cannot be recorded`,
    ...(location === undefined ? {} : { location }),
  }));
  const [first] = problems;
  if (first === undefined) return;
  throw new EngineError('RENDER_UNSTABLE', first.message, {
    problems: problems.length > 1 ? problems : [],
    ...(first.location === undefined ? {} : { location: first.location }),
    hint: 'give what is random or depends on the time as a value, or check without --record',
  });
}

/** The code of the finding about an object that is another each time. */
export const UNSTABLE = 'render.unstable';

/**
 * What two renderings of the same source disagree on, one finding for each object: who approves the one approves nothing of what will
 * be applied. `second` is the stream of a rendering at another time and with other random numbers.
 */
export function unstableFindings(first: Source, second: Source, reader: YamlReader): readonly Finding[] {
  if (Buffer.compare(first.bytes, second.bytes) === 0) return [];
  const documents = documentsOf(first, reader);
  // What cannot be read is said when it is read to be judged.
  if (documents === undefined) return [];
  const others = documentsOf(second, reader) ?? [];
  return [
    ...missingFrom(others, documents).map((document) => ({
      ...unstable(document),
      location: locate(first, document, ''),
    })),
    // An object that is there only at times has no line in the stream that is judged.
    ...missingFrom(documents, others)
      .filter((document) => !documents.some((known) => nameOf(known) === nameOf(document)))
      .map(unstable),
  ];
}

function documentsOf(source: Source, reader: YamlReader): readonly Document[] | undefined {
  try {
    return readDocuments([source], reader);
  } catch (error) {
    if (error instanceof EngineError && error.code.startsWith('INPUT_')) return undefined;
    throw error;
  }
}

/** The documents that are not, each as often, among `others`. */
function missingFrom(others: readonly Document[], documents: readonly Document[]): readonly Document[] {
  const left = new Map<string, number>();
  for (const { json } of others) left.set(utf8.decode(json), (left.get(utf8.decode(json)) ?? 0) + 1);
  return documents.filter(({ json }) => {
    const text = utf8.decode(json);
    const count = left.get(text) ?? 0;
    left.set(text, count - 1);
    return count <= 0;
  });
}

const nameOf = (document: Document): string => JSON.stringify(document.id ?? null);

const unstable = (document: Document): Finding => ({
  rule: UNSTABLE,
  result: 'warn',
  message: 'the object is another each time it is rendered, so it cannot be approved',
  severity: 'medium',
  controls: [],
  remedy:
    'give what is random or depends on the time as a value, or keep it in a Secret outside of the chart',
  object: objectOf(document),
});
