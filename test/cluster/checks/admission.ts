// SPDX-License-Identifier: Apache-2.0
import { type ApiAnswer, call, field, kubectl } from '../api.ts';
import { waitFor } from '../process.ts';
import { printManifest } from '../serve.ts';
import { deployment, event, lease, NAMESPACE, PATHS, pod, service } from './objects.ts';
import type { Scene } from './scene.ts';
import { expectParts, expectSame } from './tally.ts';

const WEBHOOK = 'admit.countersign.dev';
const CONFIGURATION = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/countersign';

/** What an unsafe Deployment is answered with, whoever asks. */
const DENIAL = [`admission webhook "${WEBHOOK}" denied the request`, 'countersign: denied by', 'pod.'];

/** Registers the webhook by what the product prints, and waits until the API server honours it. */
export async function registration({ plane, settings, tally }: Scene): Promise<void> {
  const { access } = plane;
  await tally.check('the control plane is Kubernetes 1.37.2', async () => {
    const version = await call(access, 'GET', '/version');
    expectSame('gitVersion', field(version.body, 'gitVersion'), 'v1.37.2');
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } };
    expectStatus(await call(access, 'POST', '/api/v1/namespaces', namespace), 201);
    return undefined;
  });
  await tally.check('kubectl applies what serve --print-manifest prints', async () => {
    const manifest = await printManifest(settings);
    expectSame(`exit code (${manifest.stderr})`, manifest.code, 0);
    const applied = await kubectl(access, ['apply', '-f', '-'], manifest.stdout);
    expectSame(`exit code (${applied.stderr})`, applied.code, 0);
    const { body } = await call(access, 'GET', CONFIGURATION);
    expectSame('failurePolicy', field(body, 'webhooks', 0, 'failurePolicy'), 'Fail');
    expectSame('sideEffects', field(body, 'webhooks', 0, 'sideEffects'), 'NoneOnDryRun');
    expectSame('objectSelector', field(body, 'webhooks', 0, 'objectSelector'), {});
    return applied.stdout.trim();
  });
  await tally.check('the API server honours it', async () => {
    const probe = deployment('probe', 'unsafe');
    const denied = async (): Promise<true | undefined> => {
      const answer = await call(access, 'POST', `${PATHS.deployments}?dryRun=All`, probe);
      return answer.status === 403 ? true : undefined;
    };
    await waitFor('a dry run is denied', denied, { patienceMs: 30_000 });
    return undefined;
  });
}

/** Creates, dry runs, updates and deletes. */
export async function writes(scene: Scene): Promise<void> {
  await creates(scene);
  await changes(scene);
}

async function creates({ plane, tally }: Scene): Promise<void> {
  const { access } = plane;
  await tally.check('a dry run of a safe Deployment passes and stores nothing', async () => {
    const input = JSON.stringify(deployment('rehearsed', 'safe'));
    const answer = await kubectl(access, ['apply', '--dry-run=server', '-f', '-'], input);
    expectSame(`exit code (${answer.stderr})`, answer.code, 0);
    expectStatus(await call(access, 'GET', `${PATHS.deployments}/rehearsed`), 404);
    return answer.stdout.trim();
  });
  await tally.check('an unsafe Deployment is denied with our message: HTTP 403', async () => {
    const answer = await call(access, 'POST', PATHS.deployments, deployment('unsafe', 'unsafe'));
    expectStatus(answer, 403);
    expectParts('message', answer.message, DENIAL);
    return answer.message.split('\n')[1];
  });
  await tally.check('kubectl shows the denial and nothing was stored', async () => {
    const input = JSON.stringify(deployment('unsafe', 'unsafe'));
    const answer = await kubectl(access, ['apply', '-f', '-'], input);
    expectSame('exit code', answer.code, 1);
    expectParts('stderr', answer.stderr, DENIAL);
    expectStatus(await call(access, 'GET', `${PATHS.deployments}/unsafe`), 404);
    return undefined;
  });
  await tally.check('an unsafe Pod is denied too', async () => {
    const answer = await call(access, 'POST', PATHS.pods, pod('unsafe', 'unsafe'));
    expectStatus(answer, 403);
    expectParts('message', answer.message, DENIAL);
    return undefined;
  });
  await tally.check('a safe Deployment is stored', async () => {
    const input = JSON.stringify(deployment('web', 'safe'));
    const answer = await kubectl(access, ['apply', '-f', '-'], input);
    expectSame(`exit code (${answer.stderr})`, answer.code, 0);
    const { body } = await call(access, 'GET', `${PATHS.deployments}/web`);
    expectSame('replicas', field(body, 'spec', 'replicas'), 1);
    return answer.stdout.trim();
  });
}

async function changes({ plane, tally }: Scene): Promise<void> {
  const { access } = plane;
  await tally.check('a safe update is stored', async () => {
    const answer = await kubectl(access, ['apply', '-f', '-'], JSON.stringify(deployment('web', 'safe', 3)));
    expectSame(`exit code (${answer.stderr})`, answer.code, 0);
    const { body } = await call(access, 'GET', `${PATHS.deployments}/web`);
    expectSame('replicas', field(body, 'spec', 'replicas'), 3);
    return undefined;
  });
  await tally.check('an unsafe update is denied and what is stored stays', async () => {
    const answer = await call(access, 'PUT', `${PATHS.deployments}/web`, deployment('web', 'unsafe'));
    expectStatus(answer, 403);
    expectParts('message', answer.message, DENIAL);
    const { body } = await call(access, 'GET', `${PATHS.deployments}/web`);
    expectSame('generation', field(body, 'metadata', 'generation'), 2);
    return undefined;
  });
  await tally.check('a Deployment is deleted', async () => {
    expectStatus(await call(access, 'DELETE', `${PATHS.deployments}/web`), 200);
    expectStatus(await call(access, 'GET', `${PATHS.deployments}/web`), 404);
    return undefined;
  });
  await tally.check('exec into a Pod is answered the same way twice', async () => {
    expectStatus(await call(access, 'POST', PATHS.pods, pod('shell', 'safe')), 201);
    const path = `${PATHS.pods}/shell/exec?command=id&stdout=true`;
    const [first, second] = [await call(access, 'POST', path), await call(access, 'POST', path)];
    expectSame('second answer', [second.status, second.message], [first.status, first.message]);
    // No node runs the Pod: an exec that is let through ends in 400 or an upgrade that is refused, never in our own failure.
    if (first.status >= 500) throw new Error(`HTTP ${first.status}: ${first.message}`);
    return `HTTP ${first.status}: ${first.message.split('\n')[0]}`;
  });
}

/** What the cluster itself needs to write goes on, whether the webhook answers or not. */
export async function ownWrites({ plane, tally }: Scene, label: string): Promise<void> {
  const { access } = plane;
  await tally.check(`namespaces, leases and events are written while the webhook is ${label}`, async () => {
    const name = `own-${label}`;
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    expectStatus(await call(access, 'POST', '/api/v1/namespaces', namespace), 201);
    expectStatus(await call(access, 'POST', PATHS.leases, lease(name)), 201);
    expectStatus(await call(access, 'POST', PATHS.events, event(name)), 201);
    expectStatus(await call(access, 'DELETE', `/api/v1/namespaces/${name}`), 200);
    return undefined;
  });
  await tally.check(`the API server renews its own lease while the webhook is ${label}`, async () => {
    const renewed = async (): Promise<string | undefined> => {
      const { body } = await call(
        access,
        'GET',
        '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases',
      );
      const time = field(body, 'items', 0, 'spec', 'renewTime');
      return typeof time === 'string' ? time : undefined;
    };
    const before = await waitFor('its lease is there', renewed, { patienceMs: 30_000 });
    const later = async (): Promise<string | undefined> =>
      renewed().then((time) => (time === undefined || time === before ? undefined : time));
    await waitFor('its lease is renewed', later, { patienceMs: 30_000 });
    return undefined;
  });
}

/** A Service makes the API server write an IPAddress of its own. */
export async function services({ plane, tally }: Scene): Promise<void> {
  const { access } = plane;
  await tally.check('a Service gets its address', async () => {
    const { status, body, message } = await call(access, 'POST', PATHS.services, service('web'));
    expectSame(`status (${message})`, status, 201);
    const address = field(body, 'spec', 'clusterIP');
    expectStatus(await call(access, 'GET', `/apis/networking.k8s.io/v1/ipaddresses/${address}`), 200);
    return String(address);
  });
}

/** Fails the check that is running, with the server's message, unless it answered `status`. */
export function expectStatus(answer: ApiAnswer, status: number): void {
  expectSame(`HTTP status (${answer.message})`, answer.status, status);
}
