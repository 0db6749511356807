// SPDX-License-Identifier: Apache-2.0
// A server with its Project, a provider of id tokens, and a job with a folder of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  AUDIENCE,
  GITLAB_JOB,
  ISSUER,
  jwksOf,
  type ProviderKey,
  providerKey,
  sign,
} from '../../attest/tokens/provider.ts';
import { countersign, type Outcome } from '../world.ts';

/** Rules of the server: nothing privileged, and a job on a protected ref where a token is there. */
const RULE = `package main

deny_privileged contains {"msg": msg, "severity": "high", "path": "/spec/containers/0/securityContext"} if {
	some container in input.spec.containers
	container.securityContext.privileged
	msg := sprintf("%s is privileged", [input.metadata.name])
}

warn_latest contains "no digest" if {
	some container in input.spec.containers
	not contains(container.image, "@")
}
`;
const WHO = `# METADATA
# scope: package
# title: "Protected branches deploy"
# description: "The job that asks runs on a protected ref."
# custom:
#   severity: high
#   controls: []
#   remedy: "deploy from a protected branch"
package countersign.rules.job.protected_ref

import rego.v1

deny contains {"msg": "the job runs on no protected ref"} if {
	some token in input.context.oidc
	not token.norm.refProtected
}
`;

export const podOf = (name: string, isPrivileged = false): string =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  namespace: shop\nspec:\n  containers:\n    - name: a\n      image: registry.example/a@sha256:${'a'.repeat(64)}\n      securityContext: {privileged: ${isPrivileged}}\n`;

/** A folder with the server's Project and the job's files. */
export interface Shop {
  readonly folder: string;
  readonly path: (name: string) => string;
  readonly put: (name: string, text: string) => string;
  /** A token of a job, in a variable `ID_TOKEN`; each has an id of its own unless one is given. */
  readonly token: (more?: object) => Promise<{ ID_TOKEN: string }>;
}

let count = 0;

export async function shopOf(environment = '', top = ''): Promise<Shop> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-remote-'));
  const path = (name: string): string => join(folder, name);
  const put = (name: string, text: string): string => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
    return path(name);
  };
  const key: ProviderKey = await providerKey('one', 'ES256');
  put('server/jwks.json', jwksOf(key.jwk).toString());
  put('server/policy/main.rego', RULE);
  put('server/policy/who.rego', WHO);
  put(
    'server/countersign.yaml',
    `apiVersion: countersign.dev/v1alpha1
kind: Project
environments:
  - {name: production, tier: production, namespaces: [shop]${environment}}
  - {name: open, tier: testing, namespaces: [open], callers: any}
policies: [{path: policy}]
issuers:
  - {name: shop, issuer: "${ISSUER}", audience: ${AUDIENCE}, kind: gitlab, jwks: {file: jwks.json}}
${top}`,
  );
  put('job/web.yaml', podOf('web'));
  put('job/bad.yaml', podOf('bad', true));
  const token = async (more: object = {}): Promise<{ ID_TOKEN: string }> => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: ISSUER, sub: 'project_path:shop/web', aud: AUDIENCE, iat: now - 5, exp: now + 300 };
    return { ID_TOKEN: await sign(key, { ...GITLAB_JOB, ...claims, jti: `job-${++count}`, ...more }) };
  };
  return { folder, path, put, token };
}

export const remove = ({ folder }: Shop): void => rmSync(folder, { recursive: true, force: true });

/** A server that runs: where it is, and how it is stopped. */
export interface Running {
  readonly url: string;
  readonly stop: () => Promise<Outcome>;
}

export async function serve(shop: Shop, ...flags: readonly string[]): Promise<Running> {
  let stop = (): void => undefined;
  let started: (url: string) => void = () => undefined;
  const listening = new Promise<string>((resolve) => {
    started = resolve;
  });
  const argv = ['serve', '--listen', '127.0.0.1:0', '--threads', '1', '--state', shop.path('state')];
  const ended = countersign([...argv, '--project', shop.path('server/countersign.yaml'), ...flags], {
    out: (text) => started(/https:\/\/\S+/.exec(text)?.[0] ?? ''),
    now: () => new Date(),
    onStop: (listener) => {
      stop = listener;
    },
  });
  const url = await Promise.race([listening, ended.then(({ err }) => Promise.reject(new Error(err)))]);
  return {
    url,
    stop: () => {
      stop();
      return ended;
    },
  };
}
