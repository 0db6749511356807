// SPDX-License-Identifier: Apache-2.0
// Writes engine/schema/kubernetes.json, the table of Kubernetes' types, from what the built `kube` program says: `npm run schema`.
// test/engine/schema/table.test.ts compares what is committed with what the program says.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openKube } from '../engine/toolchain/kube.ts';

const ROOT = resolve(import.meta.dirname, '..');
const TABLE = join(ROOT, 'engine/schema/kubernetes.json');
const BUILT = join(ROOT, 'engine/toolchain/built');

interface Life {
  readonly introduced?: number;
  readonly deprecated?: number;
  readonly removed?: number;
  readonly replacement?: string;
}

interface Told {
  readonly kinds: Readonly<Record<string, Life & { readonly type: number; readonly namespaced?: boolean }>>;
  readonly gone: Readonly<Record<string, Life>>;
  readonly types: readonly (readonly string[])[];
}

/** The table as it is committed: a line for each kind and each type. */
export function tableText(told: Told, version: string): string {
  const kinds = Object.entries(told.kinds).map(
    ([name, kind]) => [name, [kind.type, kind.namespaced === true ? 1 : 0, ...lifeOf(kind)]] as const,
  );
  const gone = Object.entries(told.gone).map(([name, life]) => [name, lifeOf(life)] as const);
  const lines = (rows: readonly (readonly [string, unknown])[]): string =>
    rows.map(([name, row]) => `    ${JSON.stringify(name)}: ${JSON.stringify(row)}`).join(',\n');
  const types = told.types.map((type) => `    ${JSON.stringify(type.join(' '))}`).join(',\n');
  return `{\n  "version": ${JSON.stringify(version)},\n  "kinds": {\n${lines(kinds)}\n  },\n  "gone": {\n${lines(gone)}\n  },\n  "types": [\n${types}\n  ]\n}\n`;
}

/** Zeros at the end are left out. */
function lifeOf({
  introduced = 0,
  deprecated = 0,
  removed = 0,
  replacement,
}: Life): readonly (string | number)[] {
  const row = [introduced, deprecated, removed, ...(replacement === undefined ? [] : [replacement])];
  while (row.at(-1) === 0) row.pop();
  return row;
}

/** The version of the module that the program was built from. */
export function kubernetesVersion(): string {
  const manifest: { modules: { path: string; version: string }[] } = JSON.parse(
    readFileSync(join(BUILT, 'kube.json'), 'utf8'),
  );
  const found = manifest.modules.find(({ path }) => path === 'k8s.io/kubernetes');
  if (found === undefined) throw new Error('kube.json does not name k8s.io/kubernetes');
  return found.version.slice(1);
}

export const committedTable = (): string => readFileSync(TABLE, 'utf8');

export const printedTable = (): string => tableText(JSON.parse(openKube(BUILT).table()), kubernetesVersion());

if (import.meta.main) writeFileSync(TABLE, printedTable());
