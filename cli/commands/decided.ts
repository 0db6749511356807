// SPDX-License-Identifier: Apache-2.0
import type { Verified } from '../../attest/index.ts';

/** What a verified record says of its own decision; digests are lower-case hex SHA-256. Absent is what it does not say. */
export interface Decided {
  readonly verdict: string;
  readonly time: string;
  readonly environment?: string;
  readonly projectDigest?: string;
  readonly policies: readonly { readonly name: string; readonly revision: string; readonly digest: string }[];
  /** Members of its scope that this program does not know: a limit that nobody looks at is none. */
  readonly unknownScope: readonly string[];
}

/** One thing that a record is asked, and whether it holds. */
export interface Check {
  readonly name: string;
  readonly holds: boolean;
  readonly detail: string;
}

/** What the caller wants the record to be about; what is absent is printed and not compared. */
export interface Wanted {
  readonly environment?: string;
  readonly projectDigest?: string;
  readonly policyDigests: readonly string[];
}

const KNOWN_SCOPE = ['environment', 'operations'];

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const digestIn = (value: unknown): string | undefined => text(field(field(value, 'digest'), 'sha256'));

/** Reads a verified statement; anything but the plain word `allow` is not an allow. */
export function readDecided(statement: Uint8Array): Decided {
  const predicate = field(JSON.parse(Buffer.from(statement).toString('utf8')), 'predicate');
  const scope = field(predicate, 'scope');
  const environment = text(field(scope, 'environment'));
  const projectDigest = text(field(field(predicate, 'projectDigest'), 'sha256'));
  const policies = field(predicate, 'policies');
  return {
    verdict: String(field(predicate, 'verdict')),
    time: String(field(predicate, 'time')),
    ...(environment === undefined ? {} : { environment }),
    ...(projectDigest === undefined ? {} : { projectDigest }),
    policies: (Array.isArray(policies) ? policies : []).map((policy: unknown) => ({
      name: text(field(policy, 'name')) ?? '',
      revision: text(field(policy, 'revision')) ?? '',
      digest: digestIn(policy) ?? '',
    })),
    unknownScope: Object.keys(Object(scope)).filter((key) => !KNOWN_SCOPE.includes(key)),
  };
}

/** The checks that compare what a record says of itself with its key's trust and with what the caller wants. */
export function decidedChecks(decided: Decided, verified: Verified, wanted: Wanted): readonly Check[] {
  const { verdict, time } = decided;
  return [
    { name: 'decision', holds: verdict === 'allow', detail: `the verdict is ${verdict}, at ${time}` },
    environmentCheck(decided, verified, wanted),
    policyCheck(decided, wanted),
    projectCheck(decided, wanted),
  ];
}

/** A key speaks for the environments it is trusted for, whether the caller names one or not: no scope is not every scope. */
function environmentCheck(decided: Decided, { keyName, keyEnvironments }: Verified, wanted: Wanted): Check {
  const { environment, unknownScope } = decided;
  const what = environment === undefined ? 'no environment' : JSON.stringify(environment);
  const isKeys =
    keyEnvironments.includes('*') || (environment !== undefined && keyEnvironments.includes(environment));
  const faults = [
    ...(isKeys ? [] : [`for which key ${JSON.stringify(keyName)} is not trusted`]),
    ...(wanted.environment === undefined || wanted.environment === environment
      ? []
      : [`not for ${JSON.stringify(wanted.environment)}`]),
    ...unknownScope.map((key) => `limited by ${JSON.stringify(key)}, which is not known here`),
  ];
  return {
    name: 'environment',
    holds: faults.length === 0,
    detail: [`the record is for ${what}`, ...faults].join(', '),
  };
}

function policyCheck({ policies }: Decided, { policyDigests }: Wanted): Check {
  const missing = policyDigests.filter((digest) => !policies.some((policy) => policy.digest === digest));
  const named = policies.map(({ name, digest }) => `${JSON.stringify(name)} sha256:${digest}`);
  const parts = [
    named.length === 0 ? 'no policy was evaluated' : `evaluated ${named.join(', ')}`,
    ...missing.map((digest) => `not sha256:${digest}`),
  ];
  return { name: 'policies', holds: policies.length > 0 && missing.length === 0, detail: parts.join(', ') };
}

function projectCheck({ projectDigest }: Decided, wanted: Wanted): Check {
  const holds = wanted.projectDigest === undefined || wanted.projectDigest === projectDigest;
  const what = projectDigest === undefined ? 'no Project' : `the Project sha256:${projectDigest}`;
  const fault = holds ? '' : `, not sha256:${wanted.projectDigest}`;
  return { name: 'project', holds, detail: `decided under ${what}${fault}` };
}
