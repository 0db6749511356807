// SPDX-License-Identifier: Apache-2.0
import { call, field, kubectl } from '../api.ts';
import { expectStatus } from './admission.ts';
import { clusterRole } from './objects.ts';
import type { Scene } from './scene.ts';
import { expectParts, expectSame } from './tally.ts';

const PATH = '/apis/rbac.authorization.k8s.io/v1/clusterroles';

// As `edit` of Kubernetes has it.
const ESCALATING = [
  { apiGroups: [''], resources: ['serviceaccounts'], verbs: ['impersonate'] },
  { apiGroups: [''], resources: ['serviceaccounts/token'], verbs: ['create'] },
];

const KEEPERS = [
  ['--as=system:serviceaccount:kube-system:clusterrole-aggregation-controller'],
  ['--as=system:apiserver', '--as-group=system:masters'],
] as const;

/** What Kubernetes itself writes into its roles is stored, and the same by anybody else is judged. */
export async function roles({ plane, tally }: Scene): Promise<void> {
  const { access } = plane;
  const harmless = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
  const names = KEEPERS.map((_, index) => `edit-like-${index}`);
  await tally.check('a ClusterRole like edit is denied to the administrator', async () => {
    for (const name of names) {
      expectStatus(await call(access, 'POST', PATH, clusterRole(name, harmless)), 201);
      const answer = await call(access, 'PUT', `${PATH}/${name}`, clusterRole(name, ESCALATING));
      expectStatus(answer, 403);
      expectParts('message', answer.message, ['countersign: denied by', 'rbac.escalation']);
      const { body } = await call(access, 'GET', `${PATH}/${name}`);
      expectSame('rules', field(body, 'rules', 0, 'verbs'), ['get']);
    }
    return undefined;
  });
  await tally.check('and stored for the controller that gathers roles, and for the API server', async () => {
    for (const [index, name] of names.entries()) {
      const input = JSON.stringify(clusterRole(name, ESCALATING));
      const answer = await kubectl(access, ['replace', ...(KEEPERS[index] ?? []), '-f', '-'], input);
      expectSame(`exit code (${answer.stderr})`, answer.code, 0);
      const { body } = await call(access, 'GET', `${PATH}/${name}`);
      expectSame('rules', field(body, 'rules', 0, 'verbs'), ['impersonate']);
    }
    return undefined;
  });
}
