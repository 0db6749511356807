// SPDX-License-Identifier: Apache-2.0
import { WebhookError } from './error.ts';

/** Where the API server finds the webhook. */
export type Target =
  | { readonly url: string }
  | { readonly service: { readonly name: string; readonly namespace: string; readonly port?: number } };

interface Rule {
  readonly why: string;
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
}

const WRITES = ['CREATE', 'UPDATE'] as const;

// Kubernetes' own hands on roles: the controller that writes the rules of aggregated ClusterRoles into `admin`, `edit` and `view`,
// and the API server, which sets its own roles right at each start. Rules deny what these roles hold, and a denial would leave the
// cluster with half of its roles. No hole: the controller only gathers rules of roles that were judged themselves, and a role may
// gather others only if its writer has all rights. Who can act as the controller may `escalate` anyway, and the name of the API
// server has no rights without its group. `userInfo` is the API server's own word, nothing that a client writes.
const KEEPERS_OF_ROLES = [
  'system:apiserver',
  'system:serviceaccount:kube-system:clusterrole-aggregation-controller',
] as const;
const ROLES_GROUP = 'rbac.authorization.k8s.io';

// Written out, never "*/*": that would put leases, events, node status and the webhook's own configuration behind us,
// and a cluster whose webhook is down could not heal. Left out with intent: DELETE (there is no new object to judge, and
// a namespace that cannot be emptied is stuck), */status and */scale (no pod template inside), pods/binding and
// pods/eviction, secrets (their values stay with the API server), admissionregistration (the way to switch us off).
const RULES: readonly Rule[] = [
  {
    why: 'pods, and the two ways to change a running one',
    groups: [''],
    resources: ['pods', 'pods/ephemeralcontainers', 'pods/resize', 'podtemplates', 'replicationcontrollers'],
    operations: WRITES,
  },
  {
    why: 'what makes pods, and what they are rolled back to',
    groups: ['apps'],
    resources: ['deployments', 'replicasets', 'statefulsets', 'daemonsets', 'controllerrevisions'],
    operations: WRITES,
  },
  {
    why: 'what makes pods by the clock',
    groups: ['batch'],
    resources: ['jobs', 'cronjobs'],
    operations: WRITES,
  },
  {
    why: 'who may do what',
    groups: [ROLES_GROUP],
    resources: ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'],
    operations: WRITES,
  },
  {
    why: 'what pods may mount of a host by way of a claim',
    groups: [''],
    resources: ['persistentvolumes'],
    operations: WRITES,
  },
  {
    why: 'what pods run as, are configured by and are reached through',
    groups: [''],
    resources: ['serviceaccounts', 'configmaps', 'services'],
    operations: WRITES,
  },
  {
    why: 'who reaches whom',
    groups: ['networking.k8s.io'],
    resources: ['ingresses', 'networkpolicies'],
    operations: WRITES,
  },
  {
    why: 'hands inside a running pod, and ways to whatever listens in a cluster; a node answers for all of its pods',
    groups: [''],
    resources: [
      'pods/exec',
      'pods/attach',
      'pods/portforward',
      'pods/proxy',
      'services/proxy',
      'nodes/proxy',
    ],
    operations: ['CONNECT'],
  },
];

/**
 * The ValidatingWebhookConfiguration of this server, as YAML.
 * @param o.caCert PEM of the CA that issued the server's certificate
 * @param o.namespace where the server itself runs: exempt, so that it can always be started again; absent for one outside of
 *   the cluster, for which no namespace of it has to be exempt
 * @param o.timeoutSeconds how long an API server waits, 1 to 30. Default 10: the steps of one evaluation are bounded to a
 *   few seconds, we answer with a reason half a second before the end, and validating webhooks are called side by side
 *   within the 34 s that an API server gives a whole request
 * @throws {WebhookError} URL_UNUSABLE
 * @see https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
 */
export function webhookManifest(
  o: { readonly caCert: string; readonly namespace?: string; readonly timeoutSeconds?: number } & Target,
): string {
  const exempt = [...new Set(['kube-system', ...(o.namespace === undefined ? [] : [o.namespace])])];
  return `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata:
  name: countersign
  labels: {"app.kubernetes.io/name": "countersign"}
# Without an answer nothing is admitted. When the webhook cannot be brought back, remove it with
#   kubectl delete validatingwebhookconfiguration countersign
webhooks:
  - name: admit.countersign.dev
    admissionReviewVersions: ["v1"]
    # A dry run is judged and leaves no record.
    sideEffects: NoneOnDryRun
    failurePolicy: Fail
    # An object is judged in whatever version it is sent.
    matchPolicy: Equivalent
    timeoutSeconds: ${o.timeoutSeconds ?? 10}
    # Not judged: kube-system, so that a cluster whose webhook is down can heal${o.namespace === undefined ? '' : ', and where the webhook itself runs'}. Who may
    # write there is not bound by any policy: keep it to the cluster's administrators.
    # By the label that the API server itself sets; a free label would exempt whoever writes it.
    namespaceSelector:
      matchExpressions:
        - {key: "kubernetes.io/metadata.name", operator: NotIn, values: ${list(exempt)}}
    # Not judged either: what Kubernetes itself writes into its roles.
    matchConditions:
      - name: not-kubernetes-own-roles
        expression: ${JSON.stringify(notByKeepers())}
    clientConfig:
${clientConfig(o)}
      caBundle: ${Buffer.from(o.caCert).toString('base64')}
    rules:
${RULES.map(ruleText).join('\n')}
`;
}

// CEL. The group first, so that nothing else depends on what the API server says of the user.
function notByKeepers(): string {
  return `request.kind.group != '${ROLES_GROUP}' || !(request.userInfo.username in [${KEEPERS_OF_ROLES.map((user) => `'${user}'`).join(', ')}])`;
}

function clientConfig(target: Target): string {
  if ('url' in target) {
    return `      url: ${JSON.stringify(admitUrl(target.url))}`;
  }
  const { name, namespace, port = 443 } = target.service;
  return `      service:
        name: ${JSON.stringify(name)}
        namespace: ${JSON.stringify(namespace)}
        port: ${port}
        path: /v1/admit`;
}

/**
 * The host of the URL by which an API server reaches the webhook, which its certificate has to name.
 * @throws {WebhookError} URL_UNUSABLE
 */
export function hostOfUrl(text: string): string {
  return new URL(admitUrl(text)).hostname;
}

// What an API server takes: https, no user, no query and no fragment.
function admitUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new WebhookError(
      'URL_UNUSABLE',
      `${JSON.stringify(text)} is no https URL that an API server would call`,
      {
        hint: 'such as https://192.0.2.1:8443, without user, query or fragment',
      },
    );
  if (url.pathname === '/') url.pathname = '/v1/admit';
  return url.href;
}

function ruleText({ why, groups, resources, operations }: Rule): string {
  return `      # ${why}
      - apiGroups: ${list(groups)}
        apiVersions: ["*"]
        resources: ${list(resources)}
        operations: ${list(operations)}
        scope: "*"`;
}

// JSON is YAML, and quotes whatever a name may hold.
function list(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(', ')}]`;
}
