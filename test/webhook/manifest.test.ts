// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { WebhookError, webhookManifest } from '../../webhook/index.ts';
import { expectThrown } from '../expect.ts';
import { CA } from './harness.ts';

const WRITES = ['CREATE', 'UPDATE'];
const rule = (group: string, resources: string[], operations = WRITES): unknown => ({
  apiGroups: [group],
  apiVersions: ['*'],
  resources,
  operations,
  scope: '*',
});

describe('the webhook configuration', () => {
  it('fails closed, names each resource, and exempts by the label that the API server sets', () => {
    const service = { name: 'countersign', namespace: 'security' };
    expect(parse(webhookManifest({ caCert: CA, namespace: 'security', service }))).toEqual({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'countersign', labels: { 'app.kubernetes.io/name': 'countersign' } },
      webhooks: [
        {
          name: 'admit.countersign.dev',
          admissionReviewVersions: ['v1'],
          sideEffects: 'NoneOnDryRun',
          failurePolicy: 'Fail',
          matchPolicy: 'Equivalent',
          timeoutSeconds: 10,
          namespaceSelector: {
            matchExpressions: [
              { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', 'security'] },
            ],
          },
          matchConditions: [
            {
              name: 'not-kubernetes-own-roles',
              expression:
                "request.kind.group != 'rbac.authorization.k8s.io' || !(request.userInfo.username in " +
                "['system:apiserver', 'system:serviceaccount:kube-system:clusterrole-aggregation-controller'])",
            },
          ],
          clientConfig: {
            service: { name: 'countersign', namespace: 'security', port: 443, path: '/v1/admit' },
            caBundle: Buffer.from(CA).toString('base64'),
          },
          rules: [
            rule('', [
              'pods',
              'pods/ephemeralcontainers',
              'pods/resize',
              'podtemplates',
              'replicationcontrollers',
            ]),
            rule('apps', ['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'controllerrevisions']),
            rule('batch', ['jobs', 'cronjobs']),
            rule('rbac.authorization.k8s.io', [
              'roles',
              'clusterroles',
              'rolebindings',
              'clusterrolebindings',
            ]),
            rule('', ['persistentvolumes']),
            rule('', ['serviceaccounts', 'configmaps', 'services']),
            rule('networking.k8s.io', ['ingresses', 'networkpolicies']),
            rule(
              '',
              ['pods/exec', 'pods/attach', 'pods/portforward', 'pods/proxy', 'services/proxy', 'nodes/proxy'],
              ['CONNECT'],
            ),
          ],
        },
      ],
    });
  });

  it('exempts no namespace of the cluster but kube-system for a server outside of it, and says why', () => {
    const text = webhookManifest({ caCert: CA, url: 'https://gate.example' });
    expect(parse(text).webhooks[0].namespaceSelector).toEqual({
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] }],
    });
    expect(text).toContain('Not judged: kube-system');
  });

  it.each([
    ['https://127.0.0.1:8443', 'https://127.0.0.1:8443/v1/admit'],
    ['https://[::1]:8443/', 'https://[::1]:8443/v1/admit'],
    ['https://gate.example/base/v1/admit', 'https://gate.example/base/v1/admit'],
  ])('calls %s at %s', (url, expected) => {
    const manifest = parse(webhookManifest({ caCert: CA, namespace: 'countersign', url }));
    expect(manifest.webhooks[0].clientConfig).toEqual({
      url: expected,
      caBundle: Buffer.from(CA).toString('base64'),
    });
  });

  it.each(['http://127.0.0.1', 'nowhere', 'https://u@x/', 'https://x/?a=b', 'https://x/#a'])(
    'refuses %s',
    (url) => {
      expectThrown(
        () => webhookManifest({ caCert: CA, namespace: 'countersign', url }),
        WebhookError,
        'URL_UNUSABLE',
      );
    },
  );
});
