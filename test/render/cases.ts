// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** A chart or Kustomize folder, and what it is rendered with; DIR in arguments is the case's folder. */
export interface RenderCase {
  readonly name: string;
  readonly folder: string;
  readonly tool: 'helm' | 'kustomize';
  /** Below the folder. */
  readonly path: string;
  readonly release?: string;
  readonly args: readonly string[];
}

const FOLDER = join(relative(process.cwd(), import.meta.dirname), 'cases');

/** Every case, by name. A case is a folder with `case.json`, `in/` and `out`: what the real tool prints. */
export function renderCases(): readonly RenderCase[] {
  return readdirSync(FOLDER)
    .sort()
    .map((name) => {
      const folder = join(FOLDER, name);
      const { args = [], ...stated }: Omit<RenderCase, 'name' | 'folder' | 'args'> & { args?: string[] } =
        JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8'));
      return { name, folder, ...stated, args: args.map((argument) => argument.replace('DIR', folder)) };
    });
}

/** The case as a command line of ours. */
export function ourArguments({ folder, path, tool, release, args }: RenderCase): readonly string[] {
  return [
    'render',
    join(folder, path),
    '--root',
    folder,
    ...(tool === 'helm' && release !== undefined ? ['--release', release] : []),
    ...args,
  ];
}
