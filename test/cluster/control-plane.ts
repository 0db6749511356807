// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Access, call } from './api.ts';
import type { ClusterPrograms } from './build.ts';
import { freePort, type Running, start, waitFor } from './process.ts';

/** A Kubernetes API server with its store, on loopback: no scheduler, no controllers, no nodes. */
export interface ControlPlane {
  readonly access: Access;
  /** One JSON audit event a line. */
  readonly auditLog: string;
  readonly etcd: Running;
  readonly apiServer: Running;
}

// One event for each finished request that changes something or opens a connection into a Pod.
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted, Panic]
rules:
  - level: None
    verbs: [get, list, watch]
  - level: Metadata
`;

/**
 * Starts etcd and kube-apiserver on free ports, everything they write below `directory`. The API server makes its own
 * serving certificate; the administrator comes with a random token.
 */
export async function startControlPlane(programs: ClusterPrograms, directory: string): Promise<ControlPlane> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const [client, peer, secure] = await Promise.all([freePort(), freePort(), freePort()]);
  const etcd = startEtcd(programs.etcd, directory, { client, peer });
  const token = randomBytes(24).toString('hex');
  writeCredentials(directory, token);
  const apiServer = start({
    name: 'kube-apiserver',
    program: programs.kubeApiserver,
    args: apiServerArguments(directory, { client, secure }),
    log: join(directory, 'kube-apiserver.log'),
  });
  const access = await accessOf(programs.kubectl, directory, { secure, token, apiServer });
  const ready = (): Promise<true | undefined> =>
    call(access, 'GET', '/readyz').then(
      (answer) => (answer.status === 200 ? true : undefined),
      () => undefined,
    );
  await waitFor('kube-apiserver is ready', ready, { patienceMs: 90_000, running: apiServer });
  return { access, auditLog: join(directory, 'audit.log'), etcd, apiServer };
}

function startEtcd(program: string, directory: string, ports: { client: number; peer: number }): Running {
  const client = `http://127.0.0.1:${ports.client}`;
  const peer = `http://127.0.0.1:${ports.peer}`;
  const args = [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
  ];
  return start({ name: 'etcd', program, args, log: join(directory, 'etcd.log') });
}

function writeCredentials(directory: string, token: string): void {
  const keys = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const files = {
    'service-account.key': keys.privateKey,
    'service-account.pub': keys.publicKey,
    'tokens.csv': `${token},admin,admin,system:masters\n`,
    'audit-policy.yaml': AUDIT_POLICY,
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
  }
}

function apiServerArguments(directory: string, ports: { client: number; secure: number }): string[] {
  const file = (name: string): string => join(directory, name);
  return [
    `--etcd-servers=http://127.0.0.1:${ports.client}`,
    `--secure-port=${ports.secure}`,
    '--bind-address=127.0.0.1',
    // Whether a Pod may be privileged is what the webhook is asked, not the API server's own default.
    '--allow-privileged=true',
    '--advertise-address=127.0.0.1',
    `--cert-dir=${file('certificates')}`,
    `--token-auth-file=${file('tokens.csv')}`,
    '--authorization-mode=RBAC',
    `--service-account-key-file=${file('service-account.pub')}`,
    `--service-account-signing-key-file=${file('service-account.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--service-cluster-ip-range=10.0.0.0/24',
    '--endpoint-reconciler-type=none',
    // Nobody makes the default service accounts that it asks for: there is no controller manager.
    '--disable-admission-plugins=ServiceAccount',
    `--audit-policy-file=${file('audit-policy.yaml')}`,
    `--audit-log-path=${file('audit.log')}`,
    '--audit-log-mode=blocking',
  ];
}

async function accessOf(
  program: string,
  directory: string,
  o: { secure: number; token: string; apiServer: Running },
): Promise<Access> {
  const certificate = join(directory, 'certificates', 'apiserver.crt');
  const ca = await waitFor('kube-apiserver has a certificate', () => readIfThere(certificate), {
    patienceMs: 60_000,
    running: o.apiServer,
  });
  const url = `https://127.0.0.1:${o.secure}`;
  const kubeconfig = join(directory, 'kubeconfig.json');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': certificate } }],
    users: [{ name: 'admin', user: { token: o.token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin', namespace: 'shop' } }],
    'current-context': 'test',
  };
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return { url, token: o.token, ca, kubectl: program, kubeconfig };
}

function readIfThere(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
