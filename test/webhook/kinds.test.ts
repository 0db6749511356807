// SPDX-License-Identifier: Apache-2.0
// The kinds that the shipped rules judge and the resources that the API server sends belong together: a rule about a kind that is
// never sent would hold in the pipeline and nowhere else.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { webhookManifest } from '../../webhook/index.ts';
import { CA } from './harness.ts';

/** Kinds of Kubernetes that a rule may name, as `<group>/<resource>`; a rule about another one gets its line here. */
const RESOURCES: Readonly<Record<string, string>> = {
  Pod: '/pods',
  PodTemplate: '/podtemplates',
  ReplicationController: '/replicationcontrollers',
  PersistentVolume: '/persistentvolumes',
  PersistentVolumeClaim: '/persistentvolumeclaims',
  ServiceAccount: '/serviceaccounts',
  ConfigMap: '/configmaps',
  Secret: '/secrets',
  Service: '/services',
  Namespace: '/namespaces',
  Deployment: 'apps/deployments',
  ReplicaSet: 'apps/replicasets',
  StatefulSet: 'apps/statefulsets',
  DaemonSet: 'apps/daemonsets',
  ControllerRevision: 'apps/controllerrevisions',
  Job: 'batch/jobs',
  CronJob: 'batch/cronjobs',
  Role: 'rbac.authorization.k8s.io/roles',
  ClusterRole: 'rbac.authorization.k8s.io/clusterroles',
  RoleBinding: 'rbac.authorization.k8s.io/rolebindings',
  ClusterRoleBinding: 'rbac.authorization.k8s.io/clusterrolebindings',
  Ingress: 'networking.k8s.io/ingresses',
  NetworkPolicy: 'networking.k8s.io/networkpolicies',
};
/** Words in the same form that are no kinds: values of fields, operators of selectors. */
const OTHER_WORDS = new Set(['Default', 'In', 'NotIn', 'Exists', 'DoesNotExist']);

/** Words that look like a kind in the Rego of the shipped rules and libraries. */
function wordsOfRules(): ReadonlySet<string> {
  const files = ['policies/rules', 'policies/lib'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  );
  const rules = files.filter((path) => path.endsWith('.rego') && !path.endsWith('_test.rego'));
  return new Set(
    rules.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/"([A-Z][a-z]\w*)"/g)].map((match) => match[1] ?? ''),
    ),
  );
}

function resourcesSent(): ReadonlySet<string> {
  const service = { name: 'countersign', namespace: 'countersign' };
  const rules: readonly { apiGroups: string[]; resources: string[]; operations: string[] }[] = parse(
    webhookManifest({ caCert: CA, service }),
  ).webhooks[0].rules;
  return new Set(
    rules
      .filter(({ operations }) => ['CREATE', 'UPDATE'].every((operation) => operations.includes(operation)))
      .flatMap(({ apiGroups, resources }) =>
        apiGroups.flatMap((group) => resources.map((resource) => `${group}/${resource}`)),
      ),
  );
}

describe('the kinds that shipped rules judge', () => {
  const kinds = [...wordsOfRules()].filter((word) => !OTHER_WORDS.has(word));

  it('are found', () => {
    expect(kinds).toEqual(expect.arrayContaining(['Pod', 'CronJob', 'PersistentVolume', 'ClusterRole']));
  });

  it('are known here', () => {
    expect(kinds.filter((kind) => !Object.hasOwn(RESOURCES, kind))).toEqual([]);
  });

  it('are sent by the API server when they are written', () => {
    const sent = resourcesSent();
    expect(kinds.filter((kind) => !sent.has(RESOURCES[kind] ?? ''))).toEqual([]);
  });
});
