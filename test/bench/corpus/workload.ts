// SPDX-License-Identifier: Apache-2.0
import type { Random } from './random.ts';

/** One Kubernetes object under construction. */
export type Draft = { [key: string]: unknown };

/** What is wrong with an object; undefined for most. */
export type Flaw = (typeof FLAWS)[number] | undefined;

/** Each makes at least one of the rules fire on a workload. */
export const FLAWS = [
  'privileged',
  'root',
  'no-memory-limit',
  'no-cpu-request',
  'capability',
  'escalation',
  'no-probe',
  'clear-secret',
  'floating-tag',
  'foreign-registry',
  'odd-tag',
  'host-network',
  'host-path',
  'token',
  'single-replica',
] as const;

const NOUNS = [
  'orders',
  'cart',
  'search',
  'billing',
  'stock',
  'profile',
  'mail',
  'media',
  'offers',
  'checkout',
] as const;
const ROLES = ['api', 'worker', 'web', 'cache', 'gateway', 'sync'] as const;
const TEAMS = ['storefront', 'payments', 'logistics', 'platform', 'insights'] as const;

/** Name, labels and annotations of object number `index`. */
export function metadataOf(random: Random, index: number): Draft & { readonly name: string } {
  const noun = random.pick(NOUNS);
  const team = random.pick(TEAMS);
  return {
    name: `${noun}-${random.pick(ROLES)}-${index}`,
    namespace: `${noun}-${random.pick(['prod', 'stage'])}`,
    labels: {
      'app.kubernetes.io/name': noun,
      'app.kubernetes.io/part-of': 'shop',
      'app.kubernetes.io/version': `${1 + random.whole(4)}.${random.whole(20)}.${random.whole(10)}`,
      'app.kubernetes.io/managed-by': 'helm',
      'shop.example.com/team': team,
      'shop.example.com/tier': random.pick(['critical', 'standard', 'batch']),
    },
    annotations: {
      'shop.example.com/owner': `${team}@shop.example.com`,
      'shop.example.com/runbook': `https://docs.shop.example.com/runbooks/${noun}`,
    },
  };
}

/** A Deployment. */
export function deployment(random: Random, index: number, flaw: Flaw): Draft {
  const metadata = metadataOf(random, index);
  const labels = { 'app.kubernetes.io/instance': metadata.name };
  const isCritical = flaw === 'single-replica';
  if (isCritical) Object.assign(metadata['labels'] ?? {}, { 'shop.example.com/tier': 'critical' });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      replicas: isCritical ? 1 : 2 + random.whole(5),
      revisionHistoryLimit: 5,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec(random, flaw) },
    },
  };
}

/** A StatefulSet with one claim. */
export function statefulSet(random: Random, index: number, flaw: Flaw): Draft {
  const metadata = metadataOf(random, index);
  const labels = { 'app.kubernetes.io/instance': metadata.name };
  const storageClassName = flaw === 'single-replica' ? 'slow-nfs' : random.pick(['standard', 'fast-ssd']);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata,
    spec: {
      serviceName: metadata.name,
      replicas: 3,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: podSpec(random, flaw) },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            storageClassName,
            resources: { requests: { storage: `${10 * (1 + random.whole(9))}Gi` } },
          },
        },
      ],
    },
  };
}

/** A CronJob. */
export function cronJob(random: Random, index: number, flaw: Flaw): Draft {
  const pilesUp = flaw === 'single-replica' || flaw === 'no-probe';
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: metadataOf(random, index),
    spec: {
      schedule: `${random.whole(60)} ${random.whole(24)} * * *`,
      ...(pilesUp ? {} : { concurrencyPolicy: 'Forbid', startingDeadlineSeconds: 600 }),
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: {
        spec: { backoffLimit: 2, template: { spec: { ...podSpec(random, flaw), restartPolicy: 'Never' } } },
      },
    },
  };
}

function podSpec(random: Random, flaw: Flaw): Draft {
  const containers = [container(random, 'main', flaw)];
  if (random.chance(0.3)) containers.push(container(random, 'metrics', undefined));
  return {
    ...(flaw === 'token' ? {} : { automountServiceAccountToken: false }),
    ...(flaw === 'host-network' ? { hostNetwork: true } : {}),
    serviceAccountName: random.pick(['app', 'worker', 'reader']),
    securityContext: {
      ...(flaw === 'root' ? {} : { runAsNonRoot: true }),
      runAsUser: 10_001,
      fsGroup: 10_001,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    terminationGracePeriodSeconds: 30,
    containers,
    volumes: [
      { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
      { name: 'config', configMap: { name: 'settings', defaultMode: 292 } },
      ...(flaw === 'host-path' ? [{ name: 'logs', hostPath: { path: '/var/log' } }] : []),
    ],
  };
}

function container(random: Random, name: string, flaw: Flaw): Draft {
  const port = 8000 + random.whole(1000);
  const probe = (path: string, periodSeconds: number): Draft => ({
    httpGet: { path, port: 'http' },
    periodSeconds,
    timeoutSeconds: 2,
    failureThreshold: 3,
  });
  return {
    name,
    image: imageOf(random, flaw),
    imagePullPolicy: 'IfNotPresent',
    args: ['serve', `--listen=:${port}`, `--log-level=${random.pick(['info', 'warn'])}`],
    ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
    env: environment(random, flaw),
    ...(flaw === 'no-probe' ? {} : { readinessProbe: probe('/ready', 5) }),
    livenessProbe: probe('/live', 10),
    resources: {
      requests: {
        ...(flaw === 'no-cpu-request' ? {} : { cpu: `${50 * (1 + random.whole(8))}m` }),
        memory: '128Mi',
      },
      limits: flaw === 'no-memory-limit' ? { cpu: '1' } : { memory: `${128 * (1 + random.whole(8))}Mi` },
    },
    securityContext: {
      ...(flaw === 'privileged' ? { privileged: true } : {}),
      ...(flaw === 'escalation' ? {} : { allowPrivilegeEscalation: false }),
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], ...(flaw === 'capability' ? { add: ['SYS_ADMIN'] } : {}) },
    },
    volumeMounts: [
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'config', mountPath: '/etc/settings', readOnly: true },
    ],
  };
}

function imageOf(random: Random, flaw: Flaw): string {
  const registry =
    flaw === 'foreign-registry'
      ? 'docker.io/library'
      : random.pick(['registry.shop.example.com/apps', 'ghcr.io/shop']);
  const version = `${1 + random.whole(4)}.${random.whole(20)}.${random.whole(10)}`;
  const tag = flaw === 'floating-tag' ? 'latest' : flaw === 'odd-tag' ? 'release-candidate' : version;
  return `${registry}/${random.pick(NOUNS)}:${tag}`;
}

function environment(random: Random, flaw: Flaw): Draft[] {
  const secret = { name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'database', key: 'password' } } };
  return [
    { name: 'LOG_FORMAT', value: 'json' },
    { name: 'REGION', value: random.pick(['eu-1', 'eu-2', 'us-1']) },
    { name: 'WORKERS', value: String(1 + random.whole(16)) },
    { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    flaw === 'clear-secret' ? { name: 'DB_PASSWORD', value: 'hunter2' } : secret,
  ];
}
