// SPDX-License-Identifier: Apache-2.0
// What a hostile chart or folder may try: each ends with its code and a hint, and the next rendering works.
import { symlinkSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { writeArchive } from '../../../engine/archive/index.ts';
import { EngineError } from '../../../engine/index.ts';
import { openRenderer, type Rendered, recognise } from '../../../engine/render/index.ts';
import { limitMemory } from '../../../engine/render/memory.ts';
import { expectThrown } from '../../expect.ts';
import { member, tar } from '../archive/tar.ts';
import { chartOf, frame, makePlace, type Place } from './place.ts';

const MIB = 1024 * 1024;
const renderer = openRenderer({ ...frame, limits: { deadlineMs: 8_000, maxMemoryBytes: 384 * MIB } });
afterAll(() => renderer.close());
const places: Place[] = [];
afterEach(() => {
  for (const made of places.splice(0)) made.remove();
});

const tarOf = (type: string, name: string): Uint8Array =>
  gzipSync(tar(member(name, '', { type, link: '/etc/passwd' })));

function chart(files: Readonly<Record<string, string | Uint8Array>>, path = ''): Promise<Rendered> {
  const made = makePlace(files);
  places.push(made);
  const job = { release: 'r', namespace: 'n', values: [] };
  return renderer.chart({ path: made.path(path), root: made.folder, job });
}

const CALM = 'kind: A\napiVersion: v1\nmetadata: {name: a}\n';
const works = async (): Promise<void> => {
  const { source } = await chart(chartOf(CALM));
  expect(Buffer.from(source.bytes).toString()).toBe(`---\n# Source: web/templates/a.yaml\n${CALM}`);
};

describe('a template', () => {
  it('that loops for ever is ended at the deadline', async () => {
    const loop = '{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}';
    await expect(chart(chartOf(loop))).rejects.toMatchObject({
      code: 'RENDER_DEADLINE',
      message: 'rendering was not done after 8000 ms',
      hint: expect.stringContaining('range'),
    });
    await works();
  }, 120_000);

  it('that prints a gigabyte is ended at the limit of memory', async () => {
    const flood = `{{ range until 100000 }}{{ repeat 100000 "x" }}{{ end }}`;
    await expect(chart(chartOf(flood))).rejects.toMatchObject({
      code: 'RENDER_LIMIT',
      message: 'rendering needs more memory than 384 MiB',
      hint: expect.stringContaining('prints'),
    });
    await works();
  }, 120_000);

  it('that includes itself is refused by Helm', async () => {
    const self = '{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}';
    await expect(chart(chartOf(self))).rejects.toMatchObject({ code: expect.stringMatching(/^RENDER_/) });
    await works();
  }, 120_000);

  it('reads no file and no environment', async () => {
    await expect(chart(chartOf('a: {{ env "HOME" }}'))).rejects.toMatchObject({
      code: 'RENDER_FAILED',
      message: expect.stringContaining('function "env" not defined'),
      location: { line: 1, column: 1, file: expect.stringMatching(/\/templates\/a\.yaml$/) },
    });
    const { source } = await chart(chartOf('a: {{ .Files.Get "../../etc/passwd" | quote }}'));
    expect(Buffer.from(source.bytes).toString()).toContain('a: ""');
  }, 60_000);

  it('reaches no schema on the network', async () => {
    const files = { ...chartOf(CALM), 'values.schema.json': '{"$ref": "https://shop.example/schema.json"}' };
    await expect(chart(files)).rejects.toMatchObject({ code: 'RENDER_REMOTE' });
  }, 60_000);
});

describe('a packed chart', () => {
  const packed = Object.entries(chartOf(CALM)).map(([path, text]) => ({
    path: `web/${path}`,
    bytes: Buffer.from(text),
  }));

  it('is rendered from memory', async () => {
    const { source } = await chart({ 'web.tgz': writeArchive(packed, 'web.tgz') }, 'web.tgz');
    expect(Buffer.from(source.bytes).toString()).toContain('# Source: web/templates/a.yaml');
  }, 60_000);

  it.each([
    ['a link', '2', 'web/templates/l.yaml', 'INPUT_UNREADABLE'],
    ['a hard link', '1', 'web/templates/l.yaml', 'INPUT_UNREADABLE'],
    ['a path that leaves', '0', 'web/../../x', 'INPUT_UNREADABLE'],
    ['a device', '3', 'web/dev', 'INPUT_UNREADABLE'],
  ])('with %s is refused', async (_, type, name, code) => {
    await expect(chart({ 'web.tgz': tarOf(type, name) }, 'web.tgz')).rejects.toMatchObject({ code });
  });

  it('inside another is held to the same', async () => {
    const files = { ...chartOf(CALM), 'charts/sub.tgz': tarOf('2', 'sub/templates/l.yaml') };
    await expect(chart(files)).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' });
  });

  it('that is none is refused', async () => {
    await expect(chart({ 'web.tgz': 'no archive' }, 'web.tgz')).rejects.toMatchObject({
      code: 'INPUT_UNREADABLE',
    });
  });
});

describe('a Kustomize folder', () => {
  const build = (made: Place, path: string, root = made.folder): Promise<Rendered> =>
    renderer.kustomize({ path: made.path(path), root });

  it('has no file by a link that leads out of the root', async () => {
    const made = makePlace({ 'app/kustomization.yaml': 'resources: [a.yaml]\n', 'secret.yaml': CALM });
    places.push(made);
    symlinkSync('../secret.yaml', made.path('app/a.yaml'));
    await expect(build(made, 'app', made.path('app'))).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' });
  }, 60_000);

  it('that names itself is refused', async () => {
    const made = makePlace({
      'a/kustomization.yaml': 'resources: [../b]\n',
      'b/kustomization.yaml': 'resources: [../a]\n',
    });
    places.push(made);
    await expect(build(made, 'a')).rejects.toMatchObject({ code: 'RENDER_FAILED' });
  }, 60_000);

  it('that names what is not there says so', async () => {
    const made = makePlace({ 'kustomization.yaml': 'resources: [none.yaml]\n' });
    places.push(made);
    await expect(build(made, '')).rejects.toMatchObject({
      code: expect.stringMatching(/^RENDER_/),
      message: expect.stringContaining('none.yaml'),
    });
  }, 60_000);

  it('that asks for programs is refused', async () => {
    const plugin =
      'apiVersion: v1\nkind: Plugin\nmetadata:\n  name: p\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./run.sh}\n';
    const made = makePlace({ 'kustomization.yaml': 'generators: [p.yaml]\n', 'p.yaml': plugin });
    places.push(made);
    await expect(build(made, '')).rejects.toMatchObject({
      code: 'RENDER_FAILED',
      hint: expect.stringContaining('no program is run'),
    });
  }, 60_000);
});

describe('recognising', () => {
  it('tells charts, packed charts, Kustomize folders and files apart', () => {
    const made = makePlace({
      'chart/Chart.yaml': '',
      'k1/kustomization.yaml': '',
      'k2/kustomization.yml': '',
      'k3/Kustomization': '',
      'files/a.yaml': '',
      'web.tgz': '',
      'both/Chart.yaml': '',
      'both/Kustomization': '',
    });
    places.push(made);
    const kinds = ['chart', 'k1', 'k2', 'k3', 'files', 'web.tgz', 'files/a.yaml', 'nothing'].map((name) =>
      recognise(made.path(name)),
    );
    expect(kinds).toEqual([
      'chart',
      'kustomize',
      'kustomize',
      'kustomize',
      'plain',
      'archive',
      'plain',
      'plain',
    ]);
    expect(recognise('-')).toBe('plain');
    expectThrown(() => recognise(made.path('both')), EngineError, 'RENDER_SOURCE');
  });
});

describe('the limit of memory', () => {
  it('is written into the module', () => {
    const bare = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 2);
    expect([...limitMemory(bare, 3 * 65_536)]).toEqual([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 4, 1, 1, 2, 3]);
    expectThrown(() => limitMemory(bare, 65_536), EngineError, 'TOOLCHAIN_FAILED');
    expectThrown(() => limitMemory(bare.subarray(0, 8), 65_536), EngineError, 'TOOLCHAIN_FAILED');
  });
});
