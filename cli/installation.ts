// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the product's own files are, as source or as built into `dist/`. */
export interface Installation {
  readonly root: string;
  readonly toolchain: string;
  readonly policies: string;
  readonly version: string;
  /** OPA's version, from the manifest of the program `rego`. */
  readonly opa: string;
  /** Everything besides its sources that a compiled policy depends on. */
  readonly toolVersion: string;
}

/** Finds the package that this file belongs to. */
export function findInstallation(): Installation {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, 'engine', 'toolchain', 'built')) || !existsSync(join(root, 'package.json'))) {
    const parent = dirname(root);
    if (parent === root) throw new Error('the files of countersign are incomplete: reinstall it');
    root = parent;
  }
  const toolchain = join(root, 'engine', 'toolchain', 'built');
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const rego: { wasmDigest: string; modules: { path: string; version: string }[] } = JSON.parse(
    readFileSync(join(toolchain, 'rego.json'), 'utf8'),
  );
  const opa =
    rego.modules
      .find((module) => module.path === 'github.com/open-policy-agent/opa')
      ?.version.replace(/^v/, '') ?? '';
  return {
    root,
    toolchain,
    policies: join(root, 'policies'),
    version,
    opa,
    toolVersion: `${version} ${rego.wasmDigest}`,
  };
}
