// SPDX-License-Identifier: Apache-2.0
// A Project with people and TEST keys in a folder of its own, and a rule that somebody wants an exception from.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPair } from '../../../attest/sign/index.ts';
import { countersign, type Outcome } from '../world.ts';

export interface Shop {
  readonly folder: string;
  readonly path: (name: string) => string;
  readonly put: (name: string, text: string) => string;
  readonly read: (name: string) => string;
  /** Runs a verb with this Project, at this time of the day. */
  readonly run: (argv: readonly string[], time?: string) => Promise<Outcome>;
  /** The same, signing as somebody. */
  readonly as: (who: string, argv: readonly string[], time?: string) => Promise<Outcome>;
}

const RULE = `package main

deny_privileged contains {"msg": msg, "severity": "high", "path": "/spec"} if {
	input.spec.privileged
	msg := sprintf("%s is privileged", [input.metadata.name])
}
`;

export const objectOf = (name: string, isPrivileged = false): string =>
  `apiVersion: shop.example/v1\nkind: Machine\nmetadata: {name: ${name}, namespace: shop}\nspec: {privileged: ${isPrivileged}}\n`;

export const APPROVALS = `approvals: [{role: security, count: 1, from: [security]}]`;

export function shopOf(environment = '', top = ''): Shop {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-people-'));
  const path = (name: string): string => join(folder, name);
  const put = (name: string, text: string): string => {
    writeFileSync(path(name), text);
    return path(name);
  };
  for (const name of ['signed', 'policy', 'deploy']) mkdirSync(path(name));
  const keys = ['alice', 'bob', 'carol', 'token', 'ci'].map((name) => {
    const pair = generateKeyPair();
    chmodSync(put(`${name}.pem`, pair.privateKeyPem), 0o600);
    return {
      name,
      uses: name === 'ci' ? ['record'] : ['record', 'approval', 'waiver', 'break-glass', 'lock'],
      environments: ['production', 'staging'],
      publicKey: pair.publicKeyPem,
    };
  });
  put('policy/main.rego', RULE);
  put('deploy/web.yaml', objectOf('web'));
  put(
    'countersign.yaml',
    `apiVersion: countersign.dev/v1alpha1
kind: Project
environments:
  - {name: production, tier: production, namespaces: [shop]${environment === '' ? '' : `, ${environment}`}}
  - {name: staging, tier: staging, namespaces: [staging]}
policies: [{path: policy}]
statements: {directory: signed}
waivers: {from: [security]}
people:
  - {name: alice, groups: [payments], keys: [alice]}
  - {name: bob, groups: [security], keys: [bob]}
  - {name: carol, groups: [security], keys: [carol, token]}
trust: {keys: ${JSON.stringify(keys)}}
${top}`,
  );
  const run = (argv: readonly string[], time = '12:00:00'): Promise<Outcome> =>
    countersign([...argv, '--project', path('countersign.yaml')], {
      now: () => new Date(`2026-11-24T${time}Z`),
    });
  return {
    folder,
    path,
    put,
    run,
    read: (name) => readFileSync(path(name), 'utf8'),
    as: (who, argv, time) => run([...argv, '--key', path(`${who}.pem`)], time),
  };
}

/** A check of the folder for production, recorded by somebody; JSON of the Decision beside what was printed. */
export async function checked(
  shop: Shop,
  by: string | undefined,
  more: readonly string[] = [],
  time?: string,
): Promise<Outcome & { readonly decision: Record<string, unknown> }> {
  const record = by === undefined ? [] : ['--record', shop.path('r.json'), '--state', shop.path('state')];
  const argv = ['check', shop.path('deploy'), '--env', 'production', '--format', 'json', ...record, ...more];
  const outcome = await (by === undefined ? shop.run(argv, time) : shop.as(by, argv, time));
  return { ...outcome, decision: outcome.out === '' ? {} : JSON.parse(outcome.out) };
}

/** What the last record says. */
export function predicateOf(shop: Shop): Record<string, unknown> {
  const { dsseEnvelope } = JSON.parse(shop.read('r.json'));
  return JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString()).predicate;
}
