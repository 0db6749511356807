// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../engine/index.ts';
import {
  ensureCertificate,
  type ServingCertificate,
  startServer,
  WebhookError,
} from '../../webhook/index.ts';
import {
  admit,
  allow,
  CA,
  gate,
  ID,
  judgementOf,
  judgingBy,
  NOW,
  parsed,
  reviewOf,
  send,
  start,
  stopAll,
  TLS,
} from './harness.ts';

afterEach(stopAll);

const json = { 'content-type': 'application/json' };

describe('a client that hangs', () => {
  const limits = {
    headersTimeoutMs: 150,
    requestTimeoutMs: 300,
    checkIntervalMs: 30,
    handshakeTimeoutMs: 150,
  };
  const head = 'POST /v1/admit HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

  /** Opens a connection, sends `text` and waits for the server to end it. */
  function hang(port: number, text: string, onOpen: (socket: TLSSocket) => void = () => {}): Promise<string> {
    return new Promise((resolve) => {
      let got = '';
      const socket = connect({ host: '127.0.0.1', port, ca: CA }, () => {
        socket.write(text);
        onOpen(socket);
      });
      socket.on('data', (chunk) => {
        got += chunk.toString();
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(got.split('\r\n')[0] ?? ''));
    });
  }

  it.each([
    ['never finishes its headers', head, 'HTTP/1.1 408 Request Timeout'],
    ['never sends its body', `${head}Content-Length: 100\r\n\r\n`, 'HTTP/1.1 408 Request Timeout'],
    ['sends half a body', `${head}Content-Length: 100\r\n\r\n{"apiVersion":`, 'HTTP/1.1 408 Request Timeout'],
    [
      'sends headers without end',
      `${head}X: ${'x'.repeat(20_000)}`,
      'HTTP/1.1 431 Request Header Fields Too Large',
    ],
  ])('that %s is cut while others are served', async (_, text, status) => {
    const { server, changes } = await start({ limits });
    const cut = hang(server.port, text);
    expect(parsed(await admit(server, reviewOf()))).toEqual(allow);
    expect(await cut).toBe(status);
    expect(changes).toHaveLength(1);
  });

  it('that drips a byte at a time is cut', async () => {
    const { server } = await start({ limits });
    let dripping: NodeJS.Timeout | undefined;
    const status = await hang(server.port, `${head}Content-Length: 5000\r\n\r\n`, (socket) => {
      dripping = setInterval(() => socket.write(' '), 20);
    });
    clearInterval(dripping);
    expect(status).toBe('HTTP/1.1 408 Request Timeout');
  });

  it('that goes away in the middle leaves nothing behind', async () => {
    const { server, changes } = await start({ limits: { maxHeldBytes: 6000 } });
    for (let round = 0; round < 3; round += 1)
      await hang(server.port, `${head}Content-Length: 5000\r\n\r\n${' '.repeat(4000)}`, (socket) =>
        setTimeout(() => socket.destroy(), 30),
      );
    expect(parsed(await admit(server, reviewOf()))).toEqual(allow);
    expect(changes).toHaveLength(1);
  });
});

describe('a client that sends too much', () => {
  it('and wants its connection closed is told why, once it has sent all', async () => {
    const { server } = await start();
    const size = 32 * 1024 * 1024;
    const head = `POST /v1/admit HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`;
    const ended = await new Promise<{ got: string; error: string }>((resolve) => {
      let got = '';
      let error = '';
      const socket = connect({ host: '127.0.0.1', port: server.port, ca: CA }, () => {
        socket.write(head);
        // As clients do that write a body whole before they read the answer.
        socket.pause();
        socket.write(Buffer.alloc(size, ' '), () => socket.resume());
      });
      socket.on('data', (chunk) => {
        got += chunk.toString();
      });
      socket.on('error', (reason) => {
        error = reason.message;
      });
      socket.on('close', () => resolve({ got, error }));
    });
    expect({ status: ended.got.split('\r\n')[0], error: ended.error }).toEqual({
      status: 'HTTP/1.1 413 Payload Too Large',
      error: '',
    });
    expect(ended.got).toContain('"code":"REQUEST_TOO_LARGE"');
  });
});

describe('health, readiness and metrics', () => {
  const get = (path: string) => ({ path, method: 'GET', headers: {} });

  it('is healthy, and ready when nothing stands in the way', async () => {
    let reasons: readonly string[] = ['policies are loading'];
    const { server } = await start({ notReady: () => reasons });
    expect(parsed(await send(server, get('/healthz')))).toEqual({ status: 'ok' });
    const reply = await send(server, get('/readyz'));
    expect([reply.status, parsed(reply)]).toEqual([
      503,
      { status: 'not ready', reasons: ['policies are loading'] },
    ]);
    reasons = [];
    const next = await send(server, get('/readyz'));
    expect([next.status, parsed(next)]).toEqual([200, { status: 'ready' }]);
  });

  it('counts decisions, durations, appends and errors', async () => {
    const { server } = await start();
    await admit(server, reviewOf());
    await admit(
      server,
      reviewOf({ kind: { group: 'apps', version: 'v1', kind: 'Deployment' }, dryRun: true }),
    );
    await admit(
      server,
      reviewOf({ kind: { group: 'evil.example', version: 'v1', kind: '__proto__' }, dryRun: true }),
    );
    await admit(server, 'x');
    const { text, headers } = await send(server, get('/metrics'));
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const lines = text
      .split('\n')
      .filter((line) => !line.startsWith('#') && !line.includes('_bucket') && !line.includes('_sum'));
    expect(lines.filter((line) => line !== '')).toEqual([
      'countersign_decisions_total{verdict="allow",operation="CREATE",kind="workload"} 2',
      'countersign_decisions_total{verdict="allow",operation="CREATE",kind="other"} 1',
      'countersign_admission_duration_seconds_count{verdict="allow"} 3',
      'countersign_admissions_in_flight 0',
      'countersign_ledger_appends_total{result="appended"} 1',
      'countersign_errors_total{code="REQUEST_SYNTAX"} 1',
      'countersign_ready 1',
    ]);
  });

  it('shows metrics to the bearer of the token only, where there is one', async () => {
    const { server } = await start({ metricsToken: 'token' });
    const asked = (authorization?: string) =>
      send(server, { ...get('/metrics'), headers: authorization === undefined ? {} : { authorization } });
    expect([
      (await asked()).status,
      (await asked('Bearer no')).status,
      (await asked('Bearer token')).status,
    ]).toEqual([403, 403, 200]);
  });
});

describe('stopping', () => {
  it('finishes what is in flight, then closes the ledger', async () => {
    const durable = gate<{ recordId: string }>();
    const asked = gate<Uint8Array>();
    const order: string[] = [];
    const { server, events } = await start({
      record: async (judgement) => {
        asked.open(judgement);
        const record = await durable.promise;
        order.push('recorded');
        return record;
      },
      release: async () => void order.push('released'),
    });
    const reply = admit(server, reviewOf());
    await asked.promise;
    const stopped = server.stop();
    expect(server.stop()).toBe(stopped);
    await expect(send(server, { path: '/healthz', method: 'GET', headers: {} })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    durable.open({ recordId: '7' });
    expect(parsed(await reply)).toEqual(allow);
    expect((await reply).headers['connection']).toBe('close');
    await stopped;
    expect(order).toEqual(['recorded', 'released']);
    expect(events.map(({ event }) => event)).toEqual(['listening', 'stopping', 'admission', 'stopped']);
  });

  it('fails readiness first, and still answers', async () => {
    const { server } = await start({ limits: { drainDelayMs: 200 } });
    const stopped = server.stop();
    const ready = await send(server, { path: '/readyz', method: 'GET', headers: {} });
    expect([ready.status, parsed(ready)]).toEqual([503, { status: 'not ready', reasons: ['draining'] }]);
    expect(parsed(await admit(server, reviewOf()))).toEqual(allow);
    await stopped;
  });

  it('does not wait for a client that hangs', async () => {
    const { server } = await start({ limits: { drainTimeoutMs: 50 } });
    const call = request({
      host: '127.0.0.1',
      port: server.port,
      path: '/v1/admit',
      method: 'POST',
      ca: CA,
      headers: json,
    });
    const cut = new Promise((resolve) => call.on('error', resolve));
    call.write('{');
    const idle = connect({ host: '127.0.0.1', port: server.port, ca: CA });
    await new Promise((resolve) => idle.on('secureConnect', resolve));
    await server.stop();
    expect(await cut).toMatchObject({ code: 'ECONNRESET' });
    idle.destroy();
  });
});

describe('starting', () => {
  const options = {
    host: '127.0.0.1',
    judge: judgingBy({ review: () => judgementOf() }),
    record: async () => ({ recordId: '7' }),
    now: () => NOW,
    newId: () => ID,
    log: () => {},
  };

  it('says which address is taken', async () => {
    const { server } = await start();
    const error = await startServer({ ...options, port: server.port, tls: TLS }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(WebhookError);
    expect(error).toMatchObject({
      code: 'LISTEN_FAILED',
      message: `cannot listen on "127.0.0.1:${server.port}": EADDRINUSE`,
    });
  });

  it('refuses a certificate that is none', async () => {
    const error = await startServer({ ...options, port: 0, tls: { key: 'x', cert: 'y' } }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(WebhookError);
    expect(error).toMatchObject({ code: 'CERTIFICATE_UNUSABLE' });
  });

  it('loads policies anew, one load at a time, and goes on when one fails', async () => {
    const third = gate<void>();
    let loads = 0;
    const run = async (): Promise<void> => {
      loads += 1;
      if (loads === 1) throw new EngineError('BUNDLE_ROLLBACK', 'older', { hint: 'h' });
      if (loads === 3) await third.promise;
    };
    const { server, events } = await start({ refresh: { intervalMs: 5, run, hasGood: () => true } });
    while (loads < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(loads).toBe(3);
    expect(events.slice(1)).toEqual([
      {
        level: 'error',
        event: 'failure',
        code: 'BUNDLE_ROLLBACK',
        message: 'older',
        about: 'policies',
        lastGoodKept: true,
      },
      { level: 'info', event: 'policies', result: 'loaded' },
    ]);
    const { text } = await send(server, { path: '/metrics', method: 'GET' });
    expect(text).toContain('countersign_policy_refreshes_total{result="failed"} 1');
    expect(text).toContain('countersign_policy_refreshes_total{result="loaded"} 1');
    expect(parsed(await admit(server, reviewOf()))).toEqual(allow);
    third.open();
  });

  it('speaks TLS 1.2 at least, and takes a renewed certificate while it runs', async () => {
    const { server, events } = await start();
    const old = connect({
      host: '127.0.0.1',
      port: server.port,
      ca: CA,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
    });
    expect(await new Promise((resolve) => old.on('error', resolve))).toMatchObject({
      code: expect.stringMatching(/^ERR_SSL_/),
    });
    server.useCertificate(TLS);
    expect(parsed(await admit(server, reviewOf()))).toEqual(allow);
    expect(events[1]).toEqual({ level: 'info', event: 'certificate' });
  });

  it('asks for a newer certificate, and keeps the old one when there is none', async () => {
    const other = await otherCertificate();
    let round = 0;
    const renew = async () => {
      round += 1;
      if (round === 1) throw new WebhookError('STATE_UNUSABLE', 'gone');
      return round === 2 ? TLS : other;
    };
    const { server, events } = await start({ limits: { renewIntervalMs: 10 }, renew });
    while (!events.some(({ event }) => event === 'certificate'))
      await new Promise((resolve) => setTimeout(resolve, 5));
    expect(events.map(({ event, code }) => code ?? event)).toEqual([
      'listening',
      'STATE_UNUSABLE',
      'certificate',
    ]);
    const socket = connect({ host: '127.0.0.1', port: server.port, ca: other.caCert });
    await new Promise((resolve) => socket.on('secureConnect', resolve));
    expect(socket.getPeerX509Certificate()?.toString()).toBe(other.cert);
    socket.destroy();
  });
});

async function otherCertificate(): Promise<ServingCertificate> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-renew-'));
  const certificate = await ensureCertificate({ directory, names: [], now: new Date() });
  rmSync(directory, { recursive: true });
  return certificate;
}
