// SPDX-License-Identifier: Apache-2.0
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../error.ts';

/** What a path holds: a chart's folder, a packed chart, a folder with a kustomization, or files as they are. */
export type SourceKind = 'chart' | 'archive' | 'kustomize' | 'plain';

/** The names that Kustomize knows, in its order. */
export const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'] as const;

const ARCHIVE = /\.(?:tgz|tar\.gz)$/i;

/**
 * Tells what a path holds by the file that Helm or Kustomize looks for. What is not there counts as plain: reading says why.
 * @throws {EngineError} RENDER_SOURCE where a folder is both
 */
export function recognise(path: string): SourceKind {
  const status = path === '-' ? undefined : statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return 'plain';
  if (!status.isDirectory()) return status.isFile() && ARCHIVE.test(path) ? 'archive' : 'plain';
  const isChart = existsSync(join(path, 'Chart.yaml'));
  const isKustomize = KUSTOMIZATIONS.some((name) => existsSync(join(path, name)));
  if (isChart && isKustomize)
    throw new EngineError('RENDER_SOURCE', `${JSON.stringify(path)} is a chart and a Kustomize folder`, {
      hint: 'what it stands for cannot be known: move one of them to a folder of its own',
    });
  return isChart ? 'chart' : isKustomize ? 'kustomize' : 'plain';
}
