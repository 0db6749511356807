// SPDX-License-Identifier: Apache-2.0
//
// A load generator in a process of its own, started by webhook.ts: a plan on standard input, a report on standard output.
// Each connection sends one request, waits for the whole answer, and sends the next, as an API server's client does.
import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';

/** What to send. */
export interface Plan {
  readonly port: number;
  readonly path: string;
  /** File of the CA, PEM. */
  readonly ca: string;
  /** File of the bodies, one a line; sent in turn. */
  readonly bodies: string;
  readonly requests: number;
  readonly connections: number;
}

/** What came of it. */
export interface Report {
  readonly seconds: number;
  /** CPU time of this process. */
  readonly cpuS: number;
  /** Milliseconds of each request, in the order of the answers. */
  readonly latenciesMs: readonly number[];
  /** Answers of the first round through the bodies, by index of the body. */
  readonly answers: readonly string[];
}

/** One HTTP/1.1 answer at the start of `bytes`, or undefined while it is not whole. */
export function readAnswer(bytes: Buffer): { status: number; body: string; length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const status = Number(head.slice(9, 12));
  const size = /^content-length: *(\d+)/im.exec(head)?.[1];
  const start = end + 4;
  if (size === undefined) return readChunks(bytes, start, status);
  const length = start + Number(size);
  if (bytes.length < length) return undefined;
  return { status, body: bytes.toString('utf8', start, length), length };
}

function readChunks(
  bytes: Buffer,
  start: number,
  status: number,
): { status: number; body: string; length: number } | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    const next = line + 2 + size + 2;
    if (bytes.length < next) return undefined;
    if (size === 0) return { status, body: Buffer.concat(parts).toString(), length: next };
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = next;
  }
}

/** Sends the whole plan. */
export async function runPlan(plan: Plan): Promise<Report> {
  const bodies = readFileSync(plan.bodies, 'utf8').trimEnd().split('\n');
  const requests = bodies.map((body) => requestBytes(plan, body));
  const ca = readFileSync(plan.ca, 'utf8');
  const sockets = await Promise.all(Array.from({ length: plan.connections }, () => open(plan.port, ca)));
  const latenciesMs: number[] = [];
  const answers: string[] = [];
  let sent = 0;
  const cpu = process.cpuUsage();
  const started = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      while (sent < plan.requests) {
        const index = sent;
        sent += 1;
        const at = performance.now();
        const body = await exchange(socket, requests[index % requests.length] ?? Buffer.alloc(0));
        latenciesMs.push(performance.now() - at);
        if (index < requests.length) answers[index] = body;
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  for (const socket of sockets) socket.destroy();
  return { seconds, cpuS: (user + system) / 1e6, latenciesMs, answers };
}

function requestBytes(plan: Plan, body: string): Buffer {
  const head = [
    `POST ${plan.path} HTTP/1.1`,
    `Host: 127.0.0.1:${plan.port}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function open(port: number, ca: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca }, () => resolve(socket));
    socket.setNoDelay(true);
    socket.on('error', reject);
  });
}

function exchange(socket: TLSSocket, request: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const done = (settle: () => void): void => {
      socket.off('data', onData);
      socket.off('close', onClose);
      settle();
    };
    const onClose = (): void => done(() => reject(new Error('the server closed the connection')));
    const onData = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const answer = readAnswer(received);
      if (answer === undefined) return;
      done(() =>
        answer.status === 200
          ? resolve(answer.body)
          : reject(new Error(`HTTP ${answer.status}: ${answer.body}`)),
      );
    };
    socket.on('data', onData);
    socket.on('close', onClose);
    socket.write(request);
  });
}

if (import.meta.main) {
  const plan: Plan = JSON.parse(readFileSync(0, 'utf8'));
  process.stdout.write(JSON.stringify(await runPlan(plan)));
}
