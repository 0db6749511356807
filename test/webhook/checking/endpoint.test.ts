// SPDX-License-Identifier: Apache-2.0
// What a check becomes that is not judged: a status, and never a decision.
import { request } from 'node:https';
import { afterAll, expect, it } from '@jest/globals';
import { AttestError } from '../../../attest/index.ts';
import { memoryUses } from '../../../attest/tokens/index.ts';
import { EngineError } from '../../../engine/index.ts';
import { WebhookError } from '../../../webhook/error.ts';
import type { CheckService } from '../../../webhook/index.ts';
import { DEFAULT_LIMITS } from '../../../webhook/index.ts';
import { CA, type Running, start, stopAll } from '../harness.ts';

afterAll(stopAll);

const serviceOf = (check: CheckService['check']): CheckService => ({
  rules: () => ({ environments: new Map([['open', 'any']]), issuers: [] }),
  whoAsks: () => undefined,
  uses: memoryUses(),
  record: async () => ({}),
  check,
});

function post(
  { server }: Running,
  path = '/v1/check?environment=open',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const call = request(
      `${server.url}${path}`,
      { method: 'POST', ca: CA, agent: false, headers },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    call.on('error', reject);
    call.end('{}');
  });
}

const failing = async (error: unknown): Promise<{ status: number; code: string; text: string }> => {
  const running = await start({ checks: serviceOf(() => Promise.reject(error)) });
  const { status, text } = await post(running);
  return { status, code: JSON.parse(text).error.code, text };
};

it.each([
  [new WebhookError('DEADLINE', 'late'), 504, 'DEADLINE'],
  [new WebhookError('NOT_READY', 'none'), 503, 'NOT_READY'],
  [new WebhookError('INTERNAL', 'gone'), 500, 'INTERNAL'],
  [new EngineError('INPUT_EMPTY', 'nothing'), 422, 'INPUT_EMPTY'],
  [new EngineError('RECORD_TOO_LARGE', 'large'), 422, 'RECORD_TOO_LARGE'],
  [new EngineError('POLICY_MODULE', 'broken'), 500, 'POLICY_MODULE'],
  [new AttestError('REGISTRY_UNAVAILABLE', 'away'), 503, 'REGISTRY_UNAVAILABLE'],
  [new TypeError('a secret'), 500, 'INTERNAL'],
])('%s is status %d', async (error, status, code) => {
  const answer = await failing(error);
  expect({ status: answer.status, code: answer.code }).toEqual({ status, code });
  expect(answer.text).not.toContain('secret');
});

it('more than are taken at once get 503', async () => {
  const held: (() => void)[] = [];
  const check: CheckService['check'] = () =>
    new Promise((_, reject) => {
      held.push(() => reject(new WebhookError('DEADLINE', 'late')));
    });
  const limits = { check: { ...DEFAULT_LIMITS.check, maxInFlight: 2 } };
  const running = await start({ checks: serviceOf(check), limits });
  const two = [post(running), post(running)];
  while (held.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await post(running)).toMatchObject({ status: 503, text: expect.stringContaining('SERVER_BUSY') });
  for (const release of held) release();
  expect((await Promise.all(two)).map(({ status }) => status)).toEqual([504, 504]);
});

it('nothing is checked without a service, or while the server is not ready', async () => {
  expect(await post(await start())).toMatchObject({ status: 404 });
  const check: CheckService['check'] = () => Promise.reject(new Error('not asked'));
  const running = await start({ checks: serviceOf(check), notReady: () => ['no ledger'] });
  expect(await post(running)).toMatchObject({ status: 503, text: expect.stringContaining('no ledger') });
});
