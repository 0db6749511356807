// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { AttestError } from '../../../attest/index.ts';
import { EngineError } from '../../../engine/index.ts';
import {
  deadlineMs,
  type Endpoint,
  type EndpointFrame,
  openEndpoint,
} from '../../../webhook/admission/endpoint.ts';
import { DEFAULT_LIMITS } from '../../../webhook/limits.ts';
import type { LogEvent } from '../../../webhook/log.ts';
import { openMetrics } from '../../../webhook/metrics.ts';
import {
  admit,
  allow,
  answered,
  failure,
  finding,
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
} from '../harness.ts';

afterEach(stopAll);

const json = { 'content-type': 'application/json' };

describe('admission', () => {
  it('answers every request that a real API server sent', async () => {
    const lines = readFileSync(join(import.meta.dirname, '../samples/reviews.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const { server, changes, recorded } = await start();
    for (const line of lines) {
      const { uid, dryRun } = JSON.parse(line).request;
      const auditAnnotations = { decision: ID, verdict: 'allow', ...(dryRun ? {} : { record: '7' }) };
      expect(parsed(await admit(server, line))).toEqual(answered({ uid, allowed: true, auditAnnotations }));
    }
    expect(lines).toHaveLength(34);
    expect(changes.map((change) => change.documents[0]?.value)).toEqual(
      lines.map((line) => JSON.parse(line).request.object),
    );
    expect(
      changes.every((change) =>
        Buffer.from(change.documents[0]?.json ?? [])
          .toString()
          .startsWith('{'),
      ),
    ).toBe(true);
    expect(recorded).toHaveLength(lines.filter((line) => !JSON.parse(line).request.dryRun).length);
  });

  it('allows only after the record is durable', async () => {
    const durable = gate<{ recordId: string }>();
    const asked = gate<void>();
    const { server, events } = await start({
      record: () => {
        asked.open();
        return durable.promise;
      },
    });
    let done = false;
    const reply = admit(server, reviewOf()).finally(() => {
      done = true;
    });
    await asked.promise;
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toBe(false);
    durable.open({ recordId: '7' });
    expect(await reply).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });
    expect(parsed(await reply)).toEqual(allow);
    expect(events.filter(({ event }) => event === 'admission')).toEqual([
      {
        level: 'info',
        event: 'admission',
        uid: 'u-1',
        verdict: 'allow',
        allowed: true,
        operation: 'CREATE',
        group: '',
        kind: 'Pod',
        namespace: 'shop',
        name: 'web',
        dryRun: false,
        decision: ID,
        findings: 0,
        record: '7',
        durationMs: expect.any(Number),
      },
    ]);
  });

  it.each([
    ['waiver', 'info'],
    ['break-glass', 'warn'],
  ] as const)('tells the log what an allow rests on: %s', async (basis, level) => {
    const { server, events } = await start({ decision: { basis } });
    expect(parsed(await admit(server, reviewOf()))).toEqual(allow);
    expect(events.filter(({ event }) => event === 'admission')).toEqual([
      {
        level,
        event: 'admission',
        uid: 'u-1',
        verdict: 'allow',
        allowed: true,
        operation: 'CREATE',
        group: '',
        kind: 'Pod',
        namespace: 'shop',
        name: 'web',
        dryRun: false,
        decision: ID,
        findings: 0,
        basis,
        record: '7',
        durationMs: expect.any(Number),
      },
    ]);
  });

  it('denies with the lines of the rules and keeps a record', async () => {
    const { server, recorded } = await start({ decision: { verdict: 'deny', findings: [finding()] } });
    expect(parsed(await admit(server, reviewOf()))).toEqual(
      answered({
        uid: 'u-1',
        allowed: false,
        status: {
          status: 'Failure',
          reason: 'Forbidden',
          code: 403,
          message: 'countersign: denied by 1 rule\n- pod.privileged: container "web" is privileged',
        },
        auditAnnotations: { decision: ID, verdict: 'deny', record: '7' },
      }),
    );
    expect(recorded).toHaveLength(1);
  });

  it('gives the judge time, id and the exact integers of the object', async () => {
    let seen: unknown;
    const { server, changes } = await start({
      judge: {
        review: (_, facts) => {
          seen = facts;
          return judgementOf();
        },
      },
    });
    await admit(server, JSON.stringify(reviewOf()).replace('"spec":{}', '"spec":{"n":9007199254740993}'));
    expect(seen).toEqual({ time: NOW, id: ID });
    expect(Buffer.from(changes[0]?.documents[0]?.json ?? []).toString()).toContain('"n":9007199254740993');
  });

  it('judges a dry run and leaves no record of it', async () => {
    const { server, changes, recorded } = await start({
      decision: { verdict: 'deny', findings: [finding()] },
    });
    expect(parsed(await admit(server, reviewOf({ dryRun: true })))).toMatchObject({
      response: { allowed: false },
    });
    expect([changes.length, recorded.length]).toEqual([1, 0]);
  });

  it.each<[string, Error, string]>([
    [
      'an error of the engine',
      new EngineError('POLICY_MODULE', 'broken module', { hint: 'compile it again' }),
      'countersign: no answer [POLICY_MODULE]: broken module\nhint: compile it again',
    ],
    [
      'a fault of ours',
      new TypeError('secret of line 3'),
      'countersign: no answer [INTERNAL]: internal error',
    ],
  ])('refuses on %s, without a stack', async (_, error, message) => {
    const { server, recorded, events } = await start({
      judge: {
        review() {
          throw error;
        },
      },
    });
    const reply = await admit(server, reviewOf());
    expect(reply.status).toBe(200);
    expect(parsed(reply)).toEqual(failure(message));
    expect(recorded).toEqual([]);
    expect(JSON.stringify(events)).not.toContain('secret of line 3');
    expect(events.map(({ event }) => event)).toEqual(['listening', 'failure', 'admission']);
  });

  it.each([{}, { decision: { verdict: 'deny', findings: [finding()] } as const }])(
    'refuses when the ledger does not take the record %#',
    async (options) => {
      const full = new AttestError('LEDGER_FULL', 'the disk is full');
      const { server } = await start({ ...options, record: () => Promise.reject(full) });
      expect(parsed(await admit(server, reviewOf()))).toEqual(
        failure('countersign: no answer [LEDGER_FULL]: the disk is full'),
      );
    },
  );

  it('refuses what is in excess of the limit in flight', async () => {
    const durable = gate<{ recordId: string }>();
    const asked = gate<void>();
    const { server } = await start({
      limits: { maxInFlight: 1 },
      record: () => {
        asked.open();
        return durable.promise;
      },
    });
    const first = admit(server, reviewOf());
    await asked.promise;
    expect(parsed(await admit(server, reviewOf()))).toEqual(
      failure(
        'countersign: no answer [OVERLOADED]: 2 admissions are in flight\nhint: try again; if it lasts, the webhook needs more replicas',
      ),
    );
    durable.open({ recordId: '7' });
    expect(parsed(await first)).toEqual(allow);
  });

  it('refuses with DEADLINE before the caller gives up, and tells the log what became of the record', async () => {
    const durable = gate<{ recordId: string }>();
    const { server, events } = await start({
      limits: { answerMarginMs: 950 },
      record: () => durable.promise,
    });
    const reply = await send(server, { path: '/v1/admit?timeout=1s', headers: json, body: reviewOf() });
    expect(parsed(reply)).toMatchObject({
      response: { allowed: false, status: { code: 500, message: expect.stringContaining('[DEADLINE]') } },
    });
    durable.open({ recordId: '9' });
    await server.stop();
    expect(events.find(({ event }) => event === 'late')).toEqual({
      level: 'warn',
      event: 'late',
      verdict: 'allow',
      uid: 'u-1',
      record: '9',
    });
  });

  it('tells the log why a judgement that came too late has no record', async () => {
    const broken = gate<void>();
    const failing = await start({
      limits: { answerMarginMs: 950 },
      record: () =>
        broken.promise.then(() => {
          throw new AttestError('LEDGER_FULL', 'no room');
        }),
    });
    const path = '/v1/admit?timeout=1s';
    await send(failing.server, { path, headers: json, body: reviewOf() });
    broken.open();
    await failing.server.stop();
    expect(failing.events.filter(({ event }) => event === 'failure')).toContainEqual({
      level: 'error',
      event: 'failure',
      code: 'LEDGER_FULL',
      message: 'no room',
      uid: 'u-1',
    });
  });

  it('takes the default of an API server where the caller names no time', () => {
    const limits = { ...DEFAULT_LIMITS, answerTimeoutMs: 10_000, answerMarginMs: 500 };
    for (const [url, ms] of [
      ['/v1/admit', 9500],
      ['/v1/admit?timeout=', 9500],
      ['/v1/admit?timeout=forever', 9500],
      ['/v1/admit?timeout=0s', 500],
      ['/v1/admit?timeout=99s', 29_500],
      ['/v1/admit?a=b&timeout=3s', 2500],
    ] as const)
      expect([url, deadlineMs(url, limits)]).toEqual([url, ms]);
  });

  it('does not conclude a judgement that took too long', async () => {
    const { server, recorded } = await start({
      limits: { answerMarginMs: 980 },
      judge: {
        review() {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 40);
          return judgementOf();
        },
      },
    });
    const reply = await send(server, { path: '/v1/admit?timeout=1s', headers: json, body: reviewOf() });
    expect(parsed(reply)).toMatchObject({ response: { allowed: false, status: { code: 500 } } });
    expect(recorded).toEqual([]);
  });

  it('has no answer for a body that is no admission, in time or late', async () => {
    const never = new Promise<never>(() => undefined);
    const { post } = await alone({
      admission: { judge: () => never, record: broken, now: () => NOW, newId: () => ID },
      limits: { ...DEFAULT_LIMITS, answerTimeoutMs: 520, answerMarginMs: 500 },
      body: '{}',
    });
    expect((await post()).status).toBe(400);
  });

  it('counts a body until it is judged, whatever its caller was told', async () => {
    const stuck = gate<{ recordId: string }>();
    const small = JSON.stringify(reviewOf());
    const { server } = await start({
      limits: { answerTimeoutMs: 600, answerMarginMs: 500, maxHeldBytes: 2 * small.length },
      record: () => stuck.promise,
    });
    const late = async (): Promise<unknown> =>
      (await send(server, { path: '/v1/admit', headers: json, body: small })).status;
    expect([await late(), await late(), await late()]).toEqual([200, 200, 503]);
    stuck.open({ recordId: '7' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(parsed(await admit(server, small))).toEqual(allow);
  });

  it('answers many at once, each with its own uid', async () => {
    const { server } = await start();
    const uids = Array.from({ length: 50 }, (_, index) => `u-${index}`);
    const replies = await Promise.all(uids.map((uid) => admit(server, reviewOf({ uid }))));
    expect(replies.map((reply) => JSON.parse(reply.text).response.uid)).toEqual(uids);
  });

  it('refuses everything while it is not ready', async () => {
    const { server, changes } = await start({ notReady: () => ['the ledger cannot be written'] });
    expect(parsed(await admit(server, reviewOf()))).toEqual(
      failure('countersign: no answer [NOT_READY]: not ready: the ledger cannot be written'),
    );
    expect(changes).toEqual([]);
  });
});

const broken = (): never => {
  throw new RangeError('broken: hunter2');
};

describe('a fault around the judge', () => {
  const internal = failure('countersign: no answer [INTERNAL]: internal error');
  it.each([
    ['the readiness check', { notReady: broken }],
    ['the clock', { now: broken }],
    ['the ids', { newId: broken }],
  ])('in %s refuses', async (_, options) => {
    const { server, recorded } = await start(options);
    expect(parsed(await admit(server, reviewOf()))).toEqual(internal);
    expect(recorded).toEqual([]);
  });

  it('in the log changes no answer', async () => {
    const { server } = await start({ log: broken });
    expect(parsed(await admit(server, reviewOf()))).toEqual(allow);
    expect((await admit(server, 'x')).status).toBe(400);
  });
});

/** The endpoint alone, on a plain server whose requests name no address. */
async function alone({
  body = JSON.stringify(reviewOf()),
  ...frame
}: Partial<EndpointFrame> & { readonly body?: string }): Promise<{
  post: () => Promise<Response>;
  endpoint: Endpoint;
}> {
  const endpoint = openEndpoint({
    admission: {
      judge: judgingBy({ review: () => judgementOf() }),
      record: broken,
      now: () => NOW,
      newId: () => ID,
    },
    limits: DEFAULT_LIMITS,
    metrics: openMetrics(),
    log: () => undefined,
    notReady: () => [],
    isDraining: () => true,
    ...frame,
  });
  const server = createServer((request, response) => {
    delete request.url;
    endpoint.handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = Object(server.address());
  const options = { method: 'POST', headers: json, body };
  const post = async (): Promise<Response> => {
    try {
      return await fetch(`http://127.0.0.1:${port}/`, options);
    } finally {
      server.close();
    }
  };
  return { post, endpoint };
}

describe('the endpoint alone', () => {
  it('answers HTTP 500 to a fault of its own, without the message', async () => {
    const events: LogEvent[] = [];
    const failures: string[] = [];
    const metrics = { ...openMetrics(), inFlight: broken, failure: (code: string) => failures.push(code) };
    const { post } = await alone({ metrics, log: (event) => events.push(event) });
    const reply = await post();
    expect([reply.status, await reply.text()]).toEqual([
      500,
      '{"error":{"code":"INTERNAL","message":"internal error"}}',
    ]);
    expect(failures).toEqual(['INTERNAL']);
    expect(events).toMatchObject([{ event: 'failure', code: 'INTERNAL', error: 'RangeError' }]);
    expect(JSON.stringify(events)).not.toContain('hunter2');
  });

  it('is settled only when the judgement of a caller that was answered is recorded', async () => {
    const durable = gate<{ recordId: string }>();
    const { post, endpoint } = await alone({
      admission: {
        judge: judgingBy({ review: () => judgementOf() }),
        record: () => durable.promise,
        now: () => NOW,
        newId: () => ID,
      },
      limits: { ...DEFAULT_LIMITS, answerTimeoutMs: 1000, answerMarginMs: 900 },
    });
    expect(await (await post()).json()).toMatchObject({
      response: { allowed: false, status: { code: 500 } },
    });
    let isSettled = false;
    const settled = endpoint.settled().then(() => {
      isSettled = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isSettled).toBe(false);
    durable.open({ recordId: '7' });
    await settled;
  });
});

describe('a request that is no admission', () => {
  const error = (code: string, message: string): string => JSON.stringify({ error: { code, message } });
  it.each([
    ['an empty body', { headers: json }, 400, error('REQUEST_EMPTY', 'the body is empty')],
    ['half a body', { headers: json, body: '{"api' }, 400, error('REQUEST_SYNTAX', 'the body is not JSON')],
    [
      'a body of another shape',
      { headers: json, body: { ...reviewOf(), request: 1 } },
      400,
      error('REQUEST_SHAPE', 'request is not an object'),
    ],
    ['a GET', { method: 'GET' }, 405, error('REQUEST_METHOD', 'an admission is a POST')],
    [
      'no content type',
      { headers: {}, body: '{}' },
      415,
      error('REQUEST_CONTENT_TYPE', 'the content type is not application/json: ""'),
    ],
    [
      'a form',
      { headers: { 'content-type': 'application/json-patch' }, body: '{}' },
      415,
      error('REQUEST_CONTENT_TYPE', 'the content type is not application/json: "application/json-patch"'),
    ],
    [
      'a compressed body',
      { headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' },
      415,
      error('REQUEST_ENCODING', 'the content encoding "gzip" is not read'),
    ],
    [
      'another path',
      { path: '/v1/admitted', headers: json, body: reviewOf() },
      404,
      error('REQUEST_PATH', 'nothing answers "POST" here'),
    ],
    [
      'a path that is none',
      { path: '/%E0%A4%A', method: 'GET' },
      404,
      error('REQUEST_PATH', 'nothing answers "GET" here'),
    ],
  ])('refuses %s', async (_, o, status, text) => {
    const { server, changes } = await start();
    const reply = await send(server, o);
    expect([reply.status, reply.text, reply.headers['content-type']]).toEqual([
      status,
      text,
      expect.stringMatching(/^application\/json/),
    ]);
    expect(changes).toEqual([]);
  });

  it.each([
    ['by its length', { 'content-length': String(8 * 1024 * 1024) }],
    ['by counting', { 'transfer-encoding': 'chunked' }],
  ])('refuses a body of 8 MiB %s and serves the next', async (_, header) => {
    const { server } = await start();
    const reply = await send(server, {
      headers: { ...json, ...header },
      body: Buffer.alloc(8 * 1024 * 1024, 0x20),
    });
    expect([reply.status, reply.text]).toEqual([
      413,
      error('REQUEST_TOO_LARGE', 'the body is larger than 7340032 bytes'),
    ]);
    expect(parsed(await admit(server, reviewOf()))).toEqual(allow);
  });

  it('takes a body of just 7 MiB', async () => {
    const { server } = await start();
    const small = JSON.stringify(reviewOf());
    expect(parsed(await admit(server, small.padEnd(7 * 1024 * 1024, ' ')))).toEqual(allow);
  });

  it('refuses more bytes than it may hold', async () => {
    const { server } = await start({ limits: { maxHeldBytes: 1000 } });
    const reply = await admit(server, JSON.stringify(reviewOf()).padEnd(2000, ' '));
    expect([reply.status, reply.headers['retry-after']]).toEqual([503, '1']);
    expect(parsed(await admit(server, reviewOf()))).toEqual(allow);
  });

  it('never tells the log what the body held', async () => {
    const { server, events } = await start();
    await admit(server, '{"password": hunter2}');
    expect(events.at(-1)).toEqual({
      level: 'warn',
      event: 'refused',
      code: 'REQUEST_SYNTAX',
      message: 'the body is not JSON',
    });
  });
});
