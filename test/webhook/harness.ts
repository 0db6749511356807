// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Change, Decision, Finding, Judge, Judgement } from '../../engine/index.ts';
import { judgeBody } from '../../webhook/admission/judging.ts';
import {
  ensureCertificate,
  type LogEvent,
  type ServerOptions,
  startServer,
  type WebhookServer,
} from '../../webhook/index.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-webhook-'));
const certificate = await ensureCertificate({ directory, names: [], now: new Date() });
rmSync(directory, { recursive: true });
const agent = new Agent({ ca: certificate.caCert, keepAlive: true });

export const NOW = new Date('2026-11-24T12:00:00Z');
export const ID = '019ab500-0000-7000-8000-000000000001';
export const TLS = { key: certificate.key, cert: certificate.cert };
export const CA = certificate.caCert;

export interface Running {
  readonly server: WebhookServer;
  readonly changes: Change[];
  /** Statements that were to be signed and kept. */
  readonly recorded: Uint8Array[];
  readonly events: LogEvent[];
}

const open: WebhookServer[] = [];

/** A server whose judge allows everything, unless told otherwise. */
export async function start(
  o: Partial<Omit<ServerOptions, 'judge'>> & {
    readonly decision?: Partial<Decision>;
    readonly judge?: Judge;
  } = {},
): Promise<Running> {
  const changes: Change[] = [];
  const recorded: Uint8Array[] = [];
  const events: LogEvent[] = [];
  const { decision, judge, ...options } = o;
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    tls: TLS,
    judge: judgingBy({
      review(change, facts) {
        changes.push(change);
        return judge === undefined ? judgementOf({ ...decision, id: facts.id }) : judge.review(change, facts);
      },
    }),
    record: async (statement) => {
      recorded.push(statement);
      return { recordId: '7' };
    },
    now: () => NOW,
    newId: () => ID,
    log: (event) => events.push(event),
    ...options,
  });
  open.push(server);
  return { server, changes, recorded, events };
}

/** What the threads do, in this one. */
export const judgingBy =
  (judge: Judge): ServerOptions['judge'] =>
  async (body, facts) =>
    judgeBody(body, { judge, engine: { version: '0', opa: '0' } }, facts);

/** Stops what a test started. */
export async function stopAll(): Promise<void> {
  agent.destroy();
  await Promise.all(open.splice(0).map((server) => server.stop()));
}

export function judgementOf(decision: Partial<Decision> = {}): Judgement {
  return {
    decision: {
      apiVersion: 'countersign.dev/v1alpha1',
      kind: 'Decision',
      id: ID,
      phase: 'admission',
      operations: ['CREATE'],
      verdict: 'allow',
      enforced: true,
      findings: [],
      passed: {},
      evaluated: { objects: 1, rules: 1 },
      policies: [],
      inputDigest: '1'.repeat(64),
      setDigest: '2'.repeat(64),
      contextDigest: '3'.repeat(64),
      time: NOW.toISOString(),
      ...decision,
    },
    set: { listing: '', digest: '', entries: [] },
    images: () => [],
  };
}

export function finding(part: Partial<Finding> = {}): Finding {
  return {
    rule: 'pod.privileged',
    result: 'fail',
    message: 'container "web" is privileged',
    severity: 'high',
    controls: [],
    object: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' },
    ...part,
  };
}

export const POD = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec: {} };

export function reviewOf(request: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      name: 'web',
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: { username: 'alice' },
      object: POD,
      oldObject: null,
      dryRun: false,
      options: null,
      ...request,
    },
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Sends one request; `body` as text, bytes or a value to print as JSON. */
export function send(
  server: WebhookServer,
  o: {
    readonly path?: string;
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: unknown;
  } = {},
): Promise<Reply> {
  const {
    path = '/v1/admit?timeout=10s',
    method = 'POST',
    headers = { 'content-type': 'application/json' },
    body,
  } = o;
  return new Promise((resolve, reject) => {
    const call = request(
      { agent, host: '127.0.0.1', port: server.port, path, method, headers },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    call.on('error', reject);
    call.end(
      body === undefined || typeof body === 'string' || body instanceof Uint8Array
        ? body
        : JSON.stringify(body),
    );
  });
}

export const admit = (server: WebhookServer, body: unknown): Promise<Reply> => send(server, { body });
export const parsed = (reply: Reply): unknown => JSON.parse(reply.text);

/** The response of an answer, whole. */
export function answered(response: Record<string, unknown>): unknown {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}

/** What an allow looks like, and our own failure. */
export const allow = answered({
  uid: 'u-1',
  allowed: true,
  auditAnnotations: { decision: ID, verdict: 'allow', record: '7' },
});
export const failure = (message: string): unknown =>
  answered({
    uid: 'u-1',
    allowed: false,
    status: { status: 'Failure', reason: 'InternalError', code: 500, message },
  });

/** A promise and what settles it. */
export function gate<T>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}
