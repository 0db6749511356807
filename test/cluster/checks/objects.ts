// SPDX-License-Identifier: Apache-2.0

/** The namespace in which the suite works. */
export const NAMESPACE = 'shop';

const IMAGE = 'registry.k8s.io/pause@sha256:7031c1b283388d2c2e09b57badb803c05ebed362dc88d84b480cc47f72a21097';

const SAFE_POD = {
  automountServiceAccountToken: false,
  securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
  containers: [
    {
      name: 'web',
      image: IMAGE,
      resources: {
        requests: { cpu: '50m', memory: '32Mi' },
        limits: { cpu: '200m', memory: '64Mi' },
      },
      securityContext: {
        allowPrivilegeEscalation: false,
        privileged: false,
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
        capabilities: { drop: ['ALL'] },
      },
    },
  ],
};

// Runs as root, with every right on its node, from a tag that moves.
const UNSAFE_POD = {
  hostNetwork: true,
  containers: [
    {
      name: 'web',
      image: 'docker.io/library/nginx:latest',
      securityContext: { privileged: true, runAsUser: 0 },
    },
  ],
};

/** A Deployment that every shipped rule allows, or one that several deny. */
export function deployment(name: string, kind: 'safe' | 'unsafe', replicas = 1): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: NAMESPACE, labels: { app: name } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: kind === 'safe' ? SAFE_POD : UNSAFE_POD,
      },
    },
  };
}

/** The same pod template as a bare Pod. */
export function pod(name: string, kind: 'safe' | 'unsafe'): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: NAMESPACE },
    spec: kind === 'safe' ? SAFE_POD : UNSAFE_POD,
  };
}

/** A Service; the API server itself creates an IPAddress for it. */
export function service(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: NAMESPACE },
    spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  };
}

/** A ClusterRole with these rules. */
export function clusterRole(name: string, rules: readonly object[]): object {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
}

/** A Lease, such as leader election renews every few seconds. */
export function lease(name: string): object {
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: NAMESPACE },
    spec: { holderIdentity: 'suite', leaseDurationSeconds: 15 },
  };
}

/** An Event about a Pod. */
export function event(name: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name, namespace: NAMESPACE },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', name: 'any', namespace: NAMESPACE },
    reason: 'Tried',
    message: 'an event is written while the webhook is registered',
    type: 'Normal',
  };
}

/** Where objects of a kind live in the API. */
export const PATHS = {
  deployments: `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`,
  pods: `/api/v1/namespaces/${NAMESPACE}/pods`,
  services: `/api/v1/namespaces/${NAMESPACE}/services`,
  leases: `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases`,
  events: `/api/v1/namespaces/${NAMESPACE}/events`,
} as const;
