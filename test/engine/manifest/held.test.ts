// SPDX-License-Identifier: Apache-2.0
// Documents whose content is read again: the same as those that are kept whole, for who judges them too.
import { describe, expect, it } from '@jest/globals';
import { type Document, locate, readDocuments, type Source } from '../../../engine/manifest/index.ts';
import { inNamespace, scopesOf } from '../../../engine/record/listable.ts';
import { readObject } from '../../../engine/record/normal.ts';
import { openJudge } from '../../../engine/review.ts';
import { openSchema } from '../../../engine/schema/index.ts';
import { policyOf, ruleAt } from '../judge.ts';
import { reader, sourceOf } from './reader.ts';

const FACTS = { time: new Date('2026-11-24T12:00:00Z'), id: '019ab500-0000-7000-8000-000000000001' };
/** Of 6 MiB each: of three sources the first is kept, the others are held. */
const FILLER = `${`# ${'x'.repeat(1021)}\n`.repeat(6 * 1024)}---\n`;

const CONTENTS = [
  `apiVersion: v1
kind: Secret
metadata: {name: key, namespace: shop}
stringData: {password: "correct horse"}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIp: "1"}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: big, namespace: shop}, data: {big: 9007199254740993, flag: yes}}
`,
  `apiVersion: v1
kind: Pod
metadata: {name: p, labels: {note: "correct horse"}}
spec: {hostNetwork: true, containers: []}
`,
  `apiVersion: v1
kind: Pod
metadata: {name: q}
spec: {hostNetwork: true}
---
- no
- object
`,
];

/** Sources that tell how often their bytes are asked for, as each file's last reading counts. */
function shelf(): { readonly sources: readonly Source[]; readonly readings: string[] } {
  const readings: string[] = [];
  const sources = CONTENTS.map((content, at) => {
    const { name, bytes } = sourceOf(FILLER + content, `${at}.yaml`);
    return {
      name,
      get bytes() {
        if (readings.at(-1) !== name) readings.push(name);
        return bytes;
      },
    };
  });
  return { sources, readings };
}

const contentOf = ({ json, value, id, line, pointer, remarks }: Document): unknown => ({
  json: Buffer.from(json).toString(),
  value,
  id,
  line,
  pointer,
  remarks,
});

describe('Documents that are held', () => {
  const { sources, readings } = shelf();
  const kept = sources.flatMap((source) => readDocuments([source], reader));
  readings.length = 0;
  const held = readDocuments(sources, reader);

  it('are those behind the first 8 MiB', () => {
    expect(kept.map(({ isHeld }) => isHeld)).toEqual(Array(6).fill(undefined));
    expect(held.map(({ isHeld }) => isHeld ?? false)).toEqual([false, false, false, true, true, true]);
  });

  it('have the same content, read once more in their order', () => {
    readings.length = 0;
    expect(held.map(contentOf)).toEqual(kept.map(contentOf));
    expect(readings).toEqual(['1.yaml', '2.yaml']);
    expect(held.toReversed().map(contentOf)).toEqual(kept.toReversed().map(contentOf));
  });

  it('keep it in a copy', () => {
    expect(held.map((document) => contentOf({ ...document }))).toEqual(kept.map(contentOf));
  });

  it('get their namespace and are the same objects then', () => {
    const placed = (documents: readonly Document[]): unknown =>
      inNamespace(documents, 'shop', scopesOf(documents)).map((document) => [
        contentOf(document),
        readObject(document).digest,
        readObject(document).faults(),
      ]);
    expect(placed(held)).toEqual(placed(kept));
    expect(JSON.stringify(placed(held))).toContain(
      '\\"namespace\\":\\"shop\\"},\\"spec\\":{\\"hostNetwork\\":true}',
    );
  });

  it('have their places', () => {
    const place = (document: Document | undefined): unknown =>
      document && locate(sources[1] ?? sourceOf(''), document, '/spec/hostNetwork');
    expect(place(held[3])).toEqual({ file: '1.yaml', line: 6 * 1024 + 5, column: 8 });
    expect(place(held[3])).toEqual(place(kept[3]));
  });

  it('are judged the same', () => {
    const rule = ruleAt('pod.network', '/spec/hostNetwork', (object) =>
      JSON.stringify(object).includes('hostNetwork'),
    );
    const quoting = {
      code: 'main.deny',
      style: 'conftest' as const,
      says: (input: object) => [JSON.stringify(input)],
    };
    const bench = {
      policies: [policyOf('p', [rule, quoting])],
      enforcement: {},
      schema: openSchema({ enforcement: {} }),
    };
    const judged = (documents: readonly Document[]) =>
      openJudge(bench).review({ phase: 'check', operation: 'CREATE', documents, sources }, FACTS);
    const [whole, again] = [judged(kept), judged(held)];
    expect(again.decision).toEqual(whole.decision);
    expect(again.set).toEqual(whole.set);
    expect(again.images()).toEqual(whole.images());
    expect(again.decision.findings.map(({ rule: code }) => code)).toEqual(
      expect.arrayContaining(['pod.network', 'schema.unknown-field', 'manifest.kind']),
    );
    expect(JSON.stringify(again.decision)).not.toContain('correct horse');
  });
});
