// SPDX-License-Identifier: Apache-2.0
import type { Random } from './random.ts';
import { cronJob, type Draft, deployment, FLAWS, type Flaw, metadataOf, statefulSet } from './workload.ts';

const FLAWED = 0.125;

/** Object number `index` of a corpus: three in five are workloads, and one in eight has something wrong with it. */
export function kubernetesObject(random: Random, index: number): Draft {
  const flaw = random.chance(FLAWED) ? random.pick(FLAWS) : undefined;
  const draft = make(random, index, flaw);
  // Some of the flaws of what is no workload are in the metadata that every kind has.
  if (flaw === 'privileged' && draft['kind'] !== 'Deployment') dropLabel(draft, 'shop.example.com/team');
  return draft;
}

function make(random: Random, index: number, flaw: Flaw): Draft {
  const slot = random.whole(20);
  if (slot < 7) return deployment(random, index, flaw);
  if (slot < 9) return statefulSet(random, index, flaw);
  if (slot < 11) return cronJob(random, index, flaw);
  if (slot < 14) return service(random, index, flaw);
  if (slot < 16) return configMap(random, index, flaw);
  if (slot < 18) return ingress(random, index, flaw);
  return slot === 18 ? role(random, index, flaw) : clusterRole(random, index, flaw);
}

function dropLabel(draft: Draft, label: string): void {
  const metadata = draft['metadata'];
  if (typeof metadata !== 'object' || metadata === null || !('labels' in metadata)) return;
  if (typeof metadata.labels === 'object' && metadata.labels !== null)
    Reflect.deleteProperty(metadata.labels, label);
}

function service(random: Random, index: number, flaw: Flaw): Draft {
  const metadata = metadataOf(random, index);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: flaw === 'token' ? { ...metadata, namespace: 'default' } : metadata,
    spec: {
      type: flaw === undefined ? 'ClusterIP' : random.pick(['NodePort', 'LoadBalancer']),
      selector: { 'app.kubernetes.io/instance': metadata.name },
      sessionAffinity: 'None',
      ports: [
        { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' },
        { name: 'metrics', port: 9090, targetPort: 9090, protocol: 'TCP' },
      ],
    },
  };
}

function configMap(random: Random, index: number, flaw: Flaw): Draft {
  const lines = Array.from(
    { length: 6 + random.whole(12) },
    (_, line) => `setting.${line}=${random.pick(['on', 'off', 'auto'])} # since release ${random.whole(30)}`,
  );
  if (flaw !== undefined) lines.push('database.password = hunter2');
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(random, index),
    data: {
      'application.properties': `${lines.join('\n')}\n`,
      'features.json': JSON.stringify({ search: random.chance(0.5), offers: random.whole(100) }),
      ENDPOINT: 'https://api.shop.example.com/v2',
    },
  };
}

function ingress(random: Random, index: number, flaw: Flaw): Draft {
  const metadata = metadataOf(random, index);
  const host = flaw === undefined ? `${metadata.name}.shop.example.com` : `${metadata.name}.example.net`;
  const backend = { service: { name: metadata.name, port: { name: 'http' } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata:
      flaw === 'odd-tag' ? { ...metadata, annotations: { 'shop.example.com/owner': 'nobody' } } : metadata,
    spec: {
      ingressClassName: 'public',
      tls: [{ hosts: [host], secretName: `${metadata.name}-tls` }],
      rules: [
        {
          host,
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend },
              { path: '/static', pathType: 'Prefix', backend },
            ],
          },
        },
      ],
    },
  };
}

function rulesOf(random: Random, flaw: Flaw): Draft[] {
  const wild = flaw === undefined ? [] : [{ apiGroups: ['*'], resources: ['*'], verbs: ['get'] }];
  return [
    { apiGroups: [''], resources: ['configmaps', 'services'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', random.pick(['list', 'patch'])] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['create', 'update'] },
    ...wild,
  ];
}

function role(random: Random, index: number, flaw: Flaw): Draft {
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: metadataOf(random, index),
    rules: rulesOf(random, flaw),
  };
}

function clusterRole(random: Random, index: number, flaw: Flaw): Draft {
  const { namespace: _none, ...metadata } = metadataOf(random, index);
  return {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata,
    rules: rulesOf(random, flaw),
  };
}
