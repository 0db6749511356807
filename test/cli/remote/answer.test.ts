// SPDX-License-Identifier: Apache-2.0
// What a server may answer besides an answer, and what it is asked that is no question. None of it is ever an allow.
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parseTrust } from '../../../attest/index.ts';
import { readAnswer, type Wanted } from '../../../cli/remote/answer.ts';
import { askServer } from '../../../cli/remote/ask.ts';
import { CA, TLS } from '../../webhook/harness.ts';
import { countersign } from '../world.ts';
import { podOf, type Running, remove, type Shop, serve, shopOf } from './shop.ts';

jest.setTimeout(120_000);

let shop: Shop;
let server: Running;
let answered: Buffer;
let wanted: Wanted;

/** One request as anybody may write it. */
function post(
  body: Buffer | string,
  o: { readonly path?: string; readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }> {
  const { path = '/v1/check?environment=open', method = 'POST', headers = {} } = o;
  return new Promise((resolve, reject) => {
    const ca = readFileSync(shop.path('state/ca.pem'), 'utf8');
    const all = { 'content-type': 'application/json', ...headers };
    const call = request(`${server.url}${path}`, { method, ca, agent: false, headers: all }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
      );
    });
    call.on('error', reject);
    call.end(body);
  });
}

const requestOf = (text: string, more: object = {}): string =>
  JSON.stringify({
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'CheckRequest',
    setDigest: '0'.repeat(64),
    files: [{ name: 'a.yaml', content: Buffer.from(text).toString('base64') }],
    ...more,
  });

beforeAll(async () => {
  shop = await shopOf();
  server = await serve(shop);
  const pod = podOf('bad', true).replace('namespace: shop', 'namespace: open');
  const first = await post(requestOf(pod));
  const setDigest = /the set sha256:([0-9a-f]{64})/.exec(first.text)?.[1] ?? '';
  expect(first).toMatchObject({ status: 409 });
  const since = new Date();
  const { text } = await post(requestOf(pod, { setDigest }));
  answered = Buffer.from(text);
  const set = { digest: setDigest, entries: [], listing: '' };
  const trust = parseTrust(readFileSync(shop.path('state/trust.json')));
  wanted = { host: 'server', environment: 'open', set, since, until: new Date(), trust };
});
afterAll(async () => {
  await server.stop();
  remove(shop);
});

const codeOf = (error: unknown): unknown => Reflect.get(Object(error), 'code');
function refusal(bytes: Buffer, about: Partial<Wanted> = {}): string {
  try {
    readAnswer(bytes, { ...wanted, ...about });
  } catch (error) {
    expect(codeOf(error)).toBe('SERVER_ANSWER');
    return String(Reflect.get(Object(error), 'message')).replace('the answer of "server" is refused: ', '');
  }
  return 'none';
}

describe('an answer', () => {
  it('counts where it is one to the question', () => {
    expect(readAnswer(answered, wanted).decision).toMatchObject({ verdict: 'deny', environment: 'open' });
  });

  it('is refused about another set, environment or time', () => {
    const set = { ...wanted.set, digest: '1'.repeat(64) };
    expect(refusal(answered, { set })).toBe(`its record is about another set than sha256:${'1'.repeat(64)}`);
    expect(refusal(answered, { environment: 'production' })).toBe(
      'its record is for another environment than "production"',
    );
    const later = new Date(Date.now() + 3_600_000);
    expect(refusal(answered, { since: later, until: later })).toMatch(/which is not now$/);
  });

  it('is refused where it does not rest on the token that was sent', () => {
    expect(refusal(answered, { token: 'a'.repeat(64) })).toBe(
      'its record does not rest on the id token that was sent',
    );
  });

  // Each member that a record holds, changed in the decision alone: what is printed would not be what was signed.
  it.each([
    ['verdict', 'allow'],
    ['verdict', 'error'],
    ['id', '019ab500-0000-7000-8000-000000000001'],
    ['basis', 'waiver'],
    ['environment', 'production'],
    ['time', '2026-01-01T00:00:00.000Z'],
    ['setDigest', '1'.repeat(64)],
    ['inputDigest', '1'.repeat(64)],
    ['contextDigest', '1'.repeat(64)],
    ['projectDigest', '1'.repeat(64)],
    ['findings', []],
  ])('is refused with another %s (%j) than its record', (name, value) => {
    const answer = JSON.parse(answered.toString());
    const changed = { ...answer, decision: { ...answer.decision, [name]: value } };
    const why = 'its decision is not the one that its record says';
    expect(refusal(Buffer.from(JSON.stringify(changed)))).toBe(why);
  });

  it.each(['verdict', 'phase', 'findings', 'evaluated', 'passed', 'policies', 'time', 'environment'])(
    'is refused with a decision without %s',
    (name) => {
      const answer = JSON.parse(answered.toString());
      delete answer.decision[name];
      expect(refusal(Buffer.from(JSON.stringify(answer)))).toBe('its decision is malformed');
    },
  );

  it('is refused with a signed statement that was changed', () => {
    const answer = JSON.parse(answered.toString());
    const payload = Buffer.from(answer.record.dsseEnvelope.payload, 'base64').toString();
    answer.record.dsseEnvelope.payload = Buffer.from(
      payload.replace('"verdict":"deny"', '"verdict":"allow"'),
    ).toString('base64');
    answer.decision.verdict = 'allow';
    expect(refusal(Buffer.from(JSON.stringify(answer)))).toMatch(/^its record does not hold: /);
  });

  it('is refused wherever one byte of it is cut off or turned', () => {
    for (let at = 0; at < answered.length; at += 97) {
      expect(refusal(answered.subarray(0, at))).not.toBe('none');
      const turned = Buffer.from(answered);
      turned[at] = (turned[at] ?? 0) ^ 1;
      // Messages and titles are in no record: what may change there, the verdict is not.
      const verdict = ((): string => {
        try {
          return readAnswer(turned, wanted).decision.verdict;
        } catch (error) {
          expect(['SERVER_ANSWER', 'BUNDLE_SHAPE']).toContain(codeOf(error));
          return 'deny';
        }
      })();
      expect(verdict).toBe('deny');
    }
  });

  it.each([
    ['', 'it is no CheckAnswer of countersign'],
    ['null', 'it is no CheckAnswer of countersign'],
    ['{"kind":"CheckAnswer"}', 'its decision is malformed'],
    ['{"kind":"CheckAnswer","kind":"CheckAnswer"}', 'it is no CheckAnswer of countersign'],
    ['<html>', 'it is no CheckAnswer of countersign'],
  ])('is refused as %j', (text, why) => {
    expect(refusal(Buffer.from(text))).toBe(why);
  });
});

describe('a server that is none', () => {
  let fake: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;
  beforeAll(async () => {
    fake = createServer(TLS, (request, response) => {
      request.resume();
      answer(request, response);
    });
    await new Promise<void>((resolve) => fake.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    fake.closeAllConnections();
    fake.close();
  });
  const portOf = (): number => {
    const address: AddressInfo | string | null = fake.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  };
  const asked = async (timeoutMs = 10_000): Promise<{ code: unknown; message: string }> => {
    const url = new URL(`https://127.0.0.1:${portOf()}/v1/check`);
    try {
      await askServer({}, { url, ca: CA, environment: 'open', timeoutMs });
    } catch (error) {
      const message = String(Reflect.get(Object(error), 'message')).replaceAll(url.host, 'HOST');
      return { code: codeOf(error), message };
    }
    return { code: undefined, message: '' };
  };

  it.each([
    [
      302,
      '',
      'SERVER_REFUSED',
      'the server "HOST" gives no decision: 302, a redirect, which is not followed',
    ],
    [204, '', 'SERVER_REFUSED', 'the server "HOST" gives no decision: 204'],
    [404, 'not here', 'SERVER_REFUSED', 'the server "HOST" gives no decision: 404'],
    [
      503,
      '{"error":{"code":"SERVER_BUSY","message":"later\\n\\u001b[31m"}}',
      'SERVER_UNAVAILABLE',
      'the server "HOST" gives no decision: 503 SERVER_BUSY: "later\\n\\u001b[31m"',
    ],
  ])('answers %d %j', async (status, text, code, message) => {
    answer = (_, response) => {
      response.writeHead(status, { location: 'https://evil.example/v1/check' });
      response.end(text);
    };
    expect(await asked()).toEqual({ code, message });
  });

  it('answers with more than is read', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': String(40 * 1024 * 1024) });
      response.write('{');
    };
    expect(await asked()).toMatchObject({ code: 'SERVER_ANSWER' });
  });

  it('never answers, or breaks off', async () => {
    answer = () => undefined;
    expect(await asked(100)).toMatchObject({ code: 'SERVER_UNAVAILABLE' });
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      setImmediate(() => response.destroy());
    };
    expect(await asked()).toMatchObject({ code: 'SERVER_UNAVAILABLE' });
  });

  it('answers nonsense, which is an error of exit code 5', async () => {
    answer = (_, response) => void response.end('{"kind":"CheckAnswer","decision":{"verdict":"allow"}}');
    const ca = shop.put('fake.pem', CA);
    const argv = ['check', shop.path('job/web.yaml'), '--env', 'open', '--server-ca', ca];
    const outcome = await countersign([...argv, '--server', `https://127.0.0.1:${portOf()}`]);
    expect(outcome).toMatchObject({ exit: 5, out: '' });
  });
});

describe('a question that is none', () => {
  const pod = podOf('free').replace('namespace: shop', 'namespace: open');

  it.each([
    ['no JSON', '{', 400, 'REQUEST_SYNTAX'],
    ['nothing', '', 400, 'REQUEST_EMPTY'],
    ['a key twice', '{"kind":"a","kind":"b"}', 400, 'REQUEST_SYNTAX'],
    ['a list', '[]', 400, 'REQUEST_SHAPE'],
    ['another kind', requestOf(pod, { kind: 'AdmissionReview' }), 400, 'REQUEST_SHAPE'],
    ['a member that is not known', requestOf(pod, { policies: [] }), 400, 'REQUEST_SHAPE'],
    ['no files', requestOf(pod, { files: [] }), 400, 'REQUEST_SHAPE'],
    ['no base64', requestOf(pod, { files: [{ name: 'a', content: 'a b' }] }), 400, 'REQUEST_SHAPE'],
    [
      'a file twice',
      requestOf(pod, { files: ['a', 'a'].map((name) => ({ name, content: '' })) }),
      400,
      'REQUEST_SHAPE',
    ],
    ['no namespace', requestOf(pod, { namespace: '../x' }), 400, 'REQUEST_SHAPE'],
    ['another digest', requestOf(pod), 409, 'REQUEST_SET'],
    ['no object', requestOf(''), 422, 'INPUT_EMPTY'],
    ['no YAML', requestOf('a: [b'), 422, 'INPUT_SYNTAX'],
    ['an object without a name', requestOf('apiVersion: v1\nkind: Pod\n'), 422, 'INPUT_SHAPE'],
  ])('%s', async (_, body, status, code) => {
    const answer = await post(body);
    expect({ status: answer.status, code: JSON.parse(answer.text).error.code }).toEqual({ status, code });
  });

  it.each([
    ['a GET', { method: 'GET' }, 405, 'REQUEST_METHOD'],
    ['text', { headers: { 'content-type': 'text/plain' } }, 415, 'REQUEST_CONTENT_TYPE'],
    ['compressed', { headers: { 'content-encoding': 'gzip' } }, 415, 'REQUEST_ENCODING'],
    ['33 MiB', { headers: { 'content-length': String(33 * 1024 * 1024) } }, 413, 'REQUEST_TOO_LARGE'],
    ['no environment', { path: '/v1/check' }, 404, 'REQUEST_ENVIRONMENT'],
    ['two environments', { path: '/v1/check?environment=open&environment=x' }, 404, 'REQUEST_ENVIRONMENT'],
    ['no bearer', { headers: { authorization: 'Basic eDp5' } }, 401, 'CALLER_REFUSED'],
    ['no token', { headers: { authorization: 'Bearer x' } }, 401, 'CALLER_REFUSED'],
    ['nobody for production', { path: '/v1/check?environment=production' }, 401, 'CALLER_REFUSED'],
    ['nobody for nothing', { path: '/v1/check?environment=none' }, 401, 'CALLER_REFUSED'],
  ])('%s', async (_, how, status, code) => {
    const isLong = 'headers' in how && 'content-length' in how.headers;
    const answer = await post(isLong ? Buffer.alloc(33 * 1024 * 1024) : '', how);
    expect({ status: answer.status, code: JSON.parse(answer.text).error.code }).toEqual({ status, code });
    expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined);
  });

  it('leaves no record, and the server answers the next one', async () => {
    const { text } = await post(requestOf(pod));
    const setDigest = /the set sha256:([0-9a-f]{64})/.exec(text)?.[1] ?? '';
    expect(await post(requestOf(pod, { setDigest }))).toMatchObject({ status: 200 });
    const list = await countersign(['records', 'export', '--state', shop.path('state')]);
    expect(list.out.trim().split('\n')).toHaveLength(2);
  });
});
