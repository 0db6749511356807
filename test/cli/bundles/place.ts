// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { generateKeyPair } from '../../../attest/index.ts';
import type { Io } from '../../../cli/io.ts';

/** A folder of its own for one test, with a way to write into it. */
export interface Place {
  readonly at: (name: string) => string;
  write(files: Readonly<Record<string, string | Uint8Array>>): void;
  remove(): void;
}

/** Makes a temporary folder. */
export function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-bundles-'));
  const at = (name: string): string => join(folder, name);
  return {
    at,
    write: (files) => {
      for (const [name, content] of Object.entries(files)) {
        mkdirSync(dirname(at(name)), { recursive: true });
        writeFileSync(at(name), content, { mode: 0o600 });
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A policy whose rule needs its data, in the layout of a bundle. */
export const POLICY = {
  'policy/main/main.rego':
    'package main\n\ndeny contains msg if {\n\tinput.spec.replicas < data.limits.minimum\n\tmsg := "too few replicas"\n}\n',
  'policy/main/main_test.rego':
    'package main_test\n\nimport data.main\n\ntest_few if main.deny["too few replicas"] with input as {"spec": {"replicas": 1}}\n',
  'policy/limits/data.json': '{"minimum": 2}\n',
} as const;

export const OBJECT = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {replicas: 1}\n';

/** A key pair and a trust file that trusts it for policies. */
export function trustFiles(name: string): Readonly<Record<string, string>> {
  const pair = generateKeyPair();
  const trust = {
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'Trust',
    keys: [{ name, uses: ['policy'], environments: ['*'], publicKey: pair.publicKeyPem }],
    logs: [],
  };
  return {
    [`${name}.pem`]: pair.privateKeyPem,
    [`${name}.pub`]: pair.publicKeyPem,
    [`${name}.json`]: JSON.stringify(trust),
  };
}

/** A world in which nothing is said and it is always noon. */
export const IO: Io = {
  out: () => undefined,
  err: () => undefined,
  stdin: async () => Buffer.alloc(0),
  env: {},
  outIsTerminal: false,
  errIsTerminal: false,
  userId: undefined,
  homeDirectory: '',
  now: () => new Date('2026-11-24T12:00:00Z'),
  onStop: () => undefined,
};
