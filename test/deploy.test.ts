// SPDX-License-Identifier: Apache-2.0
// The plain manifests: our own rules allow them, and what they name is what the program takes.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parseVerb } from '../cli/args.ts';
import { serve } from '../cli/commands/serve.ts';
import { readDocuments } from '../engine/manifest/index.ts';
import { openYamlReader } from '../engine/toolchain/yaml.ts';
import { countersign } from './cli/world.ts';

const FILE = 'deploy/countersign.yaml';
const folder = mkdtempSync(join(tmpdir(), 'countersign-deploy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const documents = readDocuments(
  [{ name: FILE, bytes: readFileSync(FILE) }],
  openYamlReader(resolve('engine/toolchain/built')),
);
/** The value at these steps in the object of a kind, untyped as it is. */
function at(kind: string, ...steps: readonly (string | number)[]): unknown {
  const value: unknown = documents.find((document) => document.id?.kind === kind)?.value;
  return steps.reduce<unknown>((inner, step) => Reflect.get(Object(inner), step), value);
}
const CONTAINER = ['spec', 'template', 'spec', 'containers', 0] as const;

describe('the plain manifests', () => {
  it('are allowed by every rule of the pack baseline, with the parameters that they bring', async () => {
    const parameters = join(folder, 'parameters.yaml');
    writeFileSync(parameters, String(at('ConfigMap', 'data', 'parameters.yaml')));
    const { exit, out } = await countersign(['check', 'deploy', '--parameters', parameters]);
    expect({ exit, out }).toEqual({
      exit: 0,
      out: 'allowed: 0 failures, 0 warnings in 5 objects, 15 rules\n',
    });
  });

  it('are denied where they are loosened', async () => {
    const parameters = join(folder, 'parameters.yaml');
    const loose = readFileSync(FILE, 'utf8')
      .replace('runAsNonRoot: true', 'runAsNonRoot: false')
      .replace('readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false')
      .replace('registry.example/countersign', 'elsewhere.example/countersign');
    const { exit, out } = await countersign(['check', '-', '--parameters', parameters, '--format', 'json'], {
      input: loose,
    });
    const rules: readonly string[] = JSON.parse(out).findings.map(
      (finding: { rule: string }) => finding.rule,
    );
    expect(exit).toBe(1);
    expect(new Set(rules)).toEqual(new Set(['pod.run-as-non-root', 'pod.read-only-root', 'images.registry']));
  });

  it('start the server with flags that it has', () => {
    const given: unknown = at('StatefulSet', ...CONTAINER, 'args');
    if (!Array.isArray(given)) throw new Error('no args');
    const [verb, ...argv] = given.map(String);
    expect(verb).toBe('serve');
    const args = parseVerb(serve, argv);
    expect([args.text('listen'), args.text('state'), args.positionals]).toEqual([
      '0.0.0.0:8443',
      '/state',
      [],
    ]);
    expect(at('StatefulSet', ...CONTAINER, 'ports', 0, 'containerPort')).toBe(8443);
    const mounts: unknown = at('StatefulSet', ...CONTAINER, 'volumeMounts');
    expect(mounts).toEqual([
      { name: 'state', mountPath: '/state' },
      { name: 'parameters', mountPath: '/etc/countersign', readOnly: true },
    ]);
    expect(args.text('parameters')).toBe('/etc/countersign/parameters.yaml');
  });

  it('have the service that the printed configuration names', async () => {
    const { exit, out } = await countersign(['serve', '--print-manifest', '--state', join(folder, 'state')]);
    expect(exit).toBe(0);
    expect(out).toContain(
      `name: ${JSON.stringify(at('Service', 'metadata', 'name'))}\n        namespace: ${JSON.stringify(at('Service', 'metadata', 'namespace'))}\n        port: ${at('Service', 'spec', 'ports', 0, 'port')}\n`,
    );
    expect(at('Service', 'spec', 'selector')).toEqual(
      at('StatefulSet', 'spec', 'template', 'metadata', 'labels'),
    );
  });
});

describe('the Containerfile', () => {
  const lines = readFileSync('deploy/Containerfile', 'utf8').split('\n');
  const readme = readFileSync('deploy/README.md', 'utf8');
  const manifest: { name: string; version: string; bin: Record<string, string>; files: readonly string[] } =
    JSON.parse(readFileSync('package.json', 'utf8'));
  /** What stands after a word at the beginning of lines. */
  const linesOf = (word: string): readonly string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

  it('copies the tarball that npm pack makes, and nothing else of this folder', () => {
    expect(linesOf('COPY')).toEqual([`${'$'}{TARBALL} ./countersign.tgz`, '--from=install /app /app']);
    expect(linesOf('WORKDIR')).toEqual(['/app']);
    expect(linesOf('RUN').map((line) => /\S+\.tgz/.exec(line)?.[0])).toEqual(['./countersign.tgz']);
    expect(readme).toContain(`--build-arg TARBALL=${manifest.name}-${manifest.version}.tgz`);
    expect(existsSync(/--file (\S+)/.exec(readme)?.[1] ?? '')).toBe(true);
  });

  it('declares every argument that it uses', () => {
    const used = new Set([...lines.join('\n').matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]));
    const declared = linesOf('ARG').map((line) => line.split('=')[0]);
    expect([...used].sort()).toEqual([...declared].sort());
  });

  it('starts the file that the package has as its program, as the user of the manifests', () => {
    const [entrypoint = ''] = linesOf('ENTRYPOINT');
    const [node, file = '']: readonly string[] = JSON.parse(entrypoint);
    const inside = file.slice(`/app/node_modules/${manifest.name}/`.length);
    expect([node, file]).toEqual(['node', `/app/node_modules/${manifest.name}/${inside}`]);
    expect(manifest.bin).toEqual({ countersign: inside });
    expect(manifest.files).toContain(inside);
    expect(existsSync(inside)).toBe(true);
    expect(readme).toContain(`-- node ${file} serve`);
    const user = at('StatefulSet', 'spec', 'template', 'spec', 'securityContext', 'runAsUser');
    const group = at('StatefulSet', 'spec', 'template', 'spec', 'securityContext', 'runAsGroup');
    expect(linesOf('USER')).toEqual([`${user}:${group}`]);
  });
});
