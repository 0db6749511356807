// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Draft } from './corpus/workload.ts';
import { corpusObjects } from './corpus/write.ts';

const RESOURCES: ReadonlyMap<unknown, readonly [group: string, resource: string]> = new Map([
  ['Deployment', ['apps', 'deployments']],
  ['StatefulSet', ['apps', 'statefulsets']],
  ['CronJob', ['batch', 'cronjobs']],
  ['Service', ['', 'services']],
  ['ConfigMap', ['', 'configmaps']],
  ['Ingress', ['networking.k8s.io', 'ingresses']],
  ['Role', ['rbac.authorization.k8s.io', 'roles']],
  ['ClusterRole', ['rbac.authorization.k8s.io', 'clusterroles']],
]);

/** AdmissionReviews for the creation of `count` objects, as JSON, each with a uid of its own. */
export function admissionReviews(count: number): string[] {
  return corpusObjects(count).map((object, index) => JSON.stringify(review(object, index)));
}

/** The uid of review number `index`. */
export function uidOf(index: number): string {
  const hex = createHash('sha256').update(`review ${index}`).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

function review(object: Draft, index: number): object {
  const { apiVersion, kind, metadata } = object;
  const [group, resource] = RESOURCES.get(kind) ?? ['', ''];
  const version = String(apiVersion).split('/').at(-1);
  const about = { kind: { group, version, kind }, resource: { group, version, resource } };
  const { name, namespace } = { name: '', namespace: undefined, ...asRecord(metadata) };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: uidOf(index),
      ...about,
      requestKind: about.kind,
      requestResource: about.resource,
      name,
      ...(namespace === undefined ? {} : { namespace }),
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:flux-system:kustomize-controller',
        uid: '4b1f1b0e-5f3c-4d0e-9c69-1fb0a4f5e4d1',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:flux-system', 'system:authenticated'],
      },
      object,
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kustomize-controller' },
    },
  };
}

const asRecord = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});
