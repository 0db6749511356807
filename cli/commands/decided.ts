// SPDX-License-Identifier: Apache-2.0
import { type Trust, type Verified, verifyRecord } from '../../attest/index.ts';
import { EngineError } from '../../engine/index.ts';
import {
  DECISION_PREDICATE_TYPE,
  type DecisionPredicate,
  readDecision,
} from '../../engine/record/predicate.ts';

/** One thing that a record is asked, and whether it holds. */
export interface Check {
  readonly name: string;
  readonly holds: boolean;
  readonly detail: string;
}

/** What the caller wants the record to be about; what is absent is printed and not compared. */
export interface Wanted {
  readonly at: Date;
  readonly environment?: string;
  readonly cluster?: string;
  readonly namespace?: string;
  readonly projectDigest?: string;
  readonly policyDigests: readonly string[];
}

/** What a record proves, with everything that was asked of it. */
export interface Proof {
  readonly checks: readonly Check[];
  /** Absent where the record proves nothing: then the last check says why. */
  readonly proved?: { readonly verified: Verified; readonly decided: DecisionPredicate };
}

/** The whole offline check of one record of a decision. */
export function proveRecord(bytes: Uint8Array, trust: Trust, wanted: Wanted): Proof {
  const { environment, at } = wanted;
  const result = verifyRecord(bytes, trust, {
    use: 'record',
    predicateType: DECISION_PREDICATE_TYPE,
    at,
    ...(environment === undefined ? {} : { environment }),
  });
  if (!result.ok) {
    const detail = `${result.reason} [${result.code}]`;
    return { checks: [{ name: 'signature and ledger', holds: false, detail }] };
  }
  const { value: verified } = result;
  const signed = [
    { name: 'signature', holds: true, detail: `signed by key ${JSON.stringify(verified.keyName)}` },
    { name: 'ledger', holds: true, detail: `entry ${verified.logIndex} of a trusted log` },
  ];
  const decided = decisionIn(verified.statement);
  if (decided instanceof EngineError) {
    const detail = `${decided.message} [${decided.code}]`;
    return { checks: [...signed, { name: 'statement', holds: false, detail }] };
  }
  return {
    checks: [...signed, ...decidedChecks(decided, verified, wanted)],
    proved: { verified, decided },
  };
}

/** A trusted key may have signed what is no decision record: that is an answer, and the answer is no. */
function decisionIn(statement: Uint8Array): DecisionPredicate | EngineError {
  try {
    return readDecision(statement);
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
}

/** Clocks of two machines; more is no accident. */
const SKEW_MS = 5 * 60_000;

/** The checks that compare what a record says of itself with its key's trust and with what the caller wants. */
function decidedChecks(decided: DecisionPredicate, verified: Verified, wanted: Wanted): readonly Check[] {
  return [
    decisionCheck(decided),
    setCheck(decided, verified),
    environmentCheck(decided, verified, wanted),
    scopeCheck(decided, wanted),
    timeCheck(decided, wanted),
    policyCheck(decided, wanted),
    projectCheck(decided, wanted),
  ];
}

/** Anything but the plain word `allow` is not an allow. */
function decisionCheck({ verdict, basis, findings, omittedFindings = [] }: DecisionPredicate): Check {
  const counted = omittedFindings.reduce((sum, { count }) => sum + count, findings.length);
  const why = verdict === 'allow' && basis !== 'policy' ? `, by ${basis}` : '';
  const what = counted === 0 ? 'no findings' : `${counted} finding${counted === 1 ? '' : 's'}`;
  return {
    name: 'decision',
    holds: verdict === 'allow',
    detail: `the verdict is ${verdict}${why}, with ${what}`,
  };
}

function setCheck({ set }: DecisionPredicate, { subjects }: Verified): Check {
  const holds = subjects.length === 1 && subjects[0]?.digest['sha256'] === set.digest.sha256;
  const deletes = set.deletes === undefined ? '' : `, ${set.deletes.length} to be deleted`;
  const fault = holds ? '' : ', which is not the subject of the statement';
  return {
    name: 'set',
    holds,
    detail: `${set.objects.length} objects${deletes}, sha256:${set.digest.sha256}${fault}`,
  };
}

/** A key speaks for the environments it is trusted for, whether the caller names one or not: no scope is not every scope. */
function environmentCheck(
  { scope: { environment } }: DecisionPredicate,
  { keyName, keyEnvironments }: Verified,
  wanted: Wanted,
): Check {
  const what = environment === undefined ? 'no environment' : JSON.stringify(environment);
  const isKeys =
    keyEnvironments.includes('*') || (environment !== undefined && keyEnvironments.includes(environment));
  const faults = [
    ...(isKeys ? [] : [`for which key ${JSON.stringify(keyName)} is not trusted`]),
    ...(wanted.environment === undefined || wanted.environment === environment
      ? []
      : [`not for ${JSON.stringify(wanted.environment)}`]),
  ];
  return {
    name: 'environment',
    holds: faults.length === 0,
    detail: [`the record is for ${what}`, ...faults].join(', '),
  };
}

/** The limits of a record: an object outside of them is listed and yet not allowed. */
function scopeCheck({ scope, set }: DecisionPredicate, wanted: Wanted): Check {
  const { namespaces, clusters, operations } = scope;
  const limits = [
    operations.join(', '),
    ...(namespaces === undefined ? [] : [`namespaces ${listed(namespaces)}`]),
    ...(clusters === undefined ? [] : [`clusters ${listed(clusters)}`]),
  ];
  const strangers = set.objects
    .map(({ id }) => id)
    .filter((id) => namespaces !== undefined && !isWithin(namespaces, id));
  const faults = [
    ...(wanted.namespace === undefined || namespaces?.includes(wanted.namespace) !== false
      ? []
      : [`not for namespace ${JSON.stringify(wanted.namespace)}`]),
    ...clusterFaults(clusters, wanted.cluster),
    ...(strangers.length === 0 ? [] : [`and ${JSON.stringify(strangers[0])} is in none of these namespaces`]),
  ];
  return {
    name: 'scope',
    holds: faults.length === 0,
    detail: [`limited to ${limits.join('; ')}`, ...faults].join(', '),
  };
}

/** A limit that nobody looks at is none: where a record is for some clusters, the caller must say which one is meant. */
function clusterFaults(clusters: readonly string[] | undefined, cluster: string | undefined): string[] {
  if (clusters === undefined) return [];
  if (cluster === undefined) return ['and no cluster is named to compare (--cluster)'];
  return clusters.includes(cluster) ? [] : [`not for cluster ${JSON.stringify(cluster)}`];
}

const listed = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(', ');

/** Objects of no namespace are within every list. */
function isWithin(namespaces: readonly string[], id: string): boolean {
  const namespace = id.split('/')[2] ?? '';
  return namespace === '' || namespaces.includes(namespace);
}

/** `startBy` is for the first time that the set is applied; `at` is when that is, or was. */
function timeCheck({ time, startBy }: DecisionPredicate, { at }: Wanted): Check {
  const isFuture = Date.parse(time) > at.getTime() + SKEW_MS;
  const isLate = startBy !== undefined && at.getTime() > Date.parse(startBy);
  const faults = [
    ...(isFuture ? [`which is after ${at.toISOString()}`] : []),
    ...(isLate
      ? [`too late at ${at.toISOString()} (--at TIME asks of the time when it was first applied)`]
      : []),
  ];
  const until = startBy === undefined ? [] : [`to be applied first by ${startBy}`];
  return {
    name: 'time',
    holds: faults.length === 0,
    detail: [`decided at ${time}`, ...until, ...faults].join(', '),
  };
}

function policyCheck({ policies }: DecisionPredicate, { policyDigests }: Wanted): Check {
  const missing = policyDigests.filter(
    (digest) => !policies.some((policy) => policy.digest.sha256 === digest),
  );
  const named = policies.map(({ name, digest }) => `${JSON.stringify(name)} sha256:${digest.sha256}`);
  const parts = [
    named.length === 0 ? 'no policy was evaluated' : `evaluated ${named.join(', ')}`,
    ...missing.map((digest) => `not sha256:${digest}`),
  ];
  return { name: 'policies', holds: policies.length > 0 && missing.length === 0, detail: parts.join(', ') };
}

function projectCheck({ projectDigest }: DecisionPredicate, wanted: Wanted): Check {
  const holds = wanted.projectDigest === undefined || wanted.projectDigest === projectDigest?.sha256;
  const what = projectDigest === undefined ? 'no Project' : `the Project sha256:${projectDigest.sha256}`;
  const fault = holds ? '' : `, not sha256:${wanted.projectDigest}`;
  return { name: 'project', holds, detail: `decided under ${what}${fault}` };
}
