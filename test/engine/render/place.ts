// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { RenderFrame } from '../../../engine/render/index.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';

const toolchain = resolve('engine/toolchain/built');

/** What the renderings of these tests are done with. */
export const frame: RenderFrame = {
  toolchain,
  yaml: openYamlReader(toolchain),
  now: new Date('2026-11-24T12:00:00Z'),
};

/** A folder of files for one test. */
export interface Place {
  readonly folder: string;
  readonly path: (name: string) => string;
  readonly write: (name: string, content: string | Uint8Array) => void;
  readonly remove: () => void;
}

export function makePlace(files: Readonly<Record<string, string | Uint8Array>> = {}): Place {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-render-'));
  const write = (name: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  return {
    folder,
    path: (name) => join(folder, name),
    write,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The files of a chart with one template. */
export const chartOf = (template: string): Readonly<Record<string, string>> => ({
  'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'templates/a.yaml': template,
});
