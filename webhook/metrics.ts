// SPDX-License-Identifier: Apache-2.0
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The few kinds of object that metrics tell apart: a label of a caller's choosing would grow without bound. */
export type KindClass = 'workload' | 'rbac' | 'network' | 'configuration' | 'connect' | 'other';

/** One answered admission. */
export interface Sample {
  readonly verdict: 'allow' | 'deny' | 'error';
  readonly operation: string;
  readonly kind: KindClass;
  readonly durationMs: number;
}

/** What the server counts, one set for each server. */
export interface Metrics {
  admission(sample: Sample): void;
  /** Counts a set that was checked and answered. */
  check(verdict: Sample['verdict']): void;
  /** Counts a failure or a refused request by its code, which is of a closed set. */
  failure(code: string): void;
  append(result: 'appended' | 'failed'): void;
  /** Counts a refresh of the policies; after a failed one the last good policies serve on. */
  refresh(result: 'loaded' | 'failed'): void;
  inFlight(count: number): void;
  ready(ready: boolean): void;
  /** The exposition text of Prometheus and its content type. */
  text(): Promise<string>;
  readonly contentType: string;
}

const DURATION_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export function openMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const decisions = new Counter({
    name: 'countersign_decisions_total',
    help: 'Admissions answered, by verdict, operation and class of kind.',
    labelNames: ['verdict', 'operation', 'kind'],
    registers,
  });
  const durations = new Histogram({
    name: 'countersign_admission_duration_seconds',
    help: 'From the first byte of an admission to its answer.',
    labelNames: ['verdict'],
    buckets: DURATION_SECONDS,
    registers,
  });
  const inFlight = new Gauge({
    name: 'countersign_admissions_in_flight',
    help: 'Admissions read and not yet answered.',
    registers,
  });
  const checks = new Counter({
    name: 'countersign_checks_total',
    help: 'Sets of objects checked for jobs and answered, by verdict.',
    labelNames: ['verdict'],
    registers,
  });
  const appends = new Counter({
    name: 'countersign_ledger_appends_total',
    help: 'Records signed and appended to the ledger, by result.',
    labelNames: ['result'],
    registers,
  });
  const errors = new Counter({
    name: 'countersign_errors_total',
    help: 'Requests without a Decision, by error code.',
    labelNames: ['code'],
    registers,
  });
  const refreshes = new Counter({
    name: 'countersign_policy_refreshes_total',
    help: 'Loads of the policies while the server runs, by result; after a failed one the last good policies serve on.',
    labelNames: ['result'],
    registers,
  });
  const ready = new Gauge({
    name: 'countersign_ready',
    help: '1 when policies, keys and ledger are loaded and the server is not draining.',
    registers,
  });
  return {
    admission({ verdict, operation, kind, durationMs }) {
      decisions.inc({ verdict, operation, kind });
      durations.observe({ verdict }, durationMs / 1000);
    },
    check: (verdict) => checks.inc({ verdict }),
    failure: (code) => errors.inc({ code }),
    append: (result) => appends.inc({ result }),
    refresh: (result) => refreshes.inc({ result }),
    inFlight: (count) => inFlight.set(count),
    ready: (is) => ready.set(is ? 1 : 0),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

const CLASS_OF_GROUP: Readonly<Record<string, KindClass>> = {
  apps: 'workload',
  batch: 'workload',
  'rbac.authorization.k8s.io': 'rbac',
  'networking.k8s.io': 'network',
};
const CLASS_OF_CORE_KIND: Readonly<Record<string, KindClass>> = {
  Pod: 'workload',
  PodTemplate: 'workload',
  ReplicationController: 'workload',
  Service: 'network',
  ConfigMap: 'configuration',
  Secret: 'configuration',
  ServiceAccount: 'configuration',
};

/** The class of a kind as its request names it. */
export function kindClass(request: {
  readonly operation: string;
  readonly group: string;
  readonly kind: string;
}): KindClass {
  if (request.operation === 'CONNECT') return 'connect';
  const table = request.group === '' ? CLASS_OF_CORE_KIND : CLASS_OF_GROUP;
  const key = request.group === '' ? request.kind : request.group;
  return Object.hasOwn(table, key) ? (table[key] ?? 'other') : 'other';
}
