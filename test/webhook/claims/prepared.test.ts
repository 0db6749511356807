// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { openPrepared, PREPARED_LIMITS, type PreparedLimits } from '../../../webhook/claims/prepared.ts';
import { claimScope } from '../../../webhook/claims/scope.ts';
import { WebhookError } from '../../../webhook/error.ts';

const scopeOf = (environment: string) =>
  claimScope({
    parts: {
      trust: {},
      environment,
      requireLog: false,
      types: ['t'],
      access: { plainHttp: false, privateHosts: [] },
    },
    registries: ['r.example'],
    isLive: false,
    trustDigest: '1'.repeat(64),
  });
const SCOPE = scopeOf('production');
const image = (digit: string, registry = 'r.example') => ({
  registry,
  repository: 'web',
  digest: `sha256:${digit.repeat(64)}`,
});
const OUTAGE = new WebhookError('CLAIMS_UNAVAILABLE', 'gone');

/** A store whose registry answers when it is told to. */
function store(limits: Partial<PreparedLimits> = {}) {
  const asked: { name: string; answer: (said: readonly string[] | Error) => void }[] = [];
  const clock = { nowMs: 1_000_000 };
  const prove = (_scope: unknown, { registry, digest }: ReturnType<typeof image>) =>
    new Promise<readonly string[]>((resolve, reject) => {
      const answer = (said: readonly string[] | Error) =>
        said instanceof Error ? reject(said) : resolve(said);
      asked.push({ name: `${registry} ${digest[7]}`, answer });
    });
  const prepared = openPrepared({ prove }, () => clock.nowMs, { ...PREPARED_LIMITS, ...limits });
  return { prepared, asked, clock };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what was prepared', () => {
  it('is fetched once, however many ask, and then is known', async () => {
    const { prepared, asked } = store();
    const [first, second] = [prepared.ask(SCOPE, image('a')), prepared.ask(SCOPE, image('a'))];
    expect([first.known, second.known]).toEqual([undefined, undefined]);
    await turn();
    expect(asked).toHaveLength(1);
    asked[0]?.answer(['claim']);
    expect(await first.done).toEqual({ texts: ['claim'] });
    expect(prepared.ask(SCOPE, image('a'))).toEqual({ known: { texts: ['claim'] } });
    expect(asked).toHaveLength(1);
  });

  it('is of one scope and one digest', async () => {
    const { prepared, asked } = store();
    prepared.ask(SCOPE, image('a'));
    await turn();
    asked[0]?.answer(['claim']);
    await turn();
    expect(prepared.ask(scopeOf('staging'), image('a')).known).toBeUndefined();
    expect(prepared.ask(SCOPE, image('b')).known).toBeUndefined();
    expect(prepared.ask(SCOPE, { ...image('a'), repository: 'other' }).known).toBeUndefined();
    expect(prepared.ask(scopeOf('production'), image('a')).known).toEqual({ texts: ['claim'] });
  });

  it('is used while it is fetched anew, and outlives an outage, but not for ever', async () => {
    const { prepared, asked, clock } = store({ freshMs: 100, keptMs: 1000 });
    prepared.ask(SCOPE, image('a'));
    await turn();
    asked[0]?.answer(['claim']);
    await turn();
    clock.nowMs += 500;
    expect(prepared.ask(SCOPE, image('a')).known).toEqual({ texts: ['claim'] });
    await turn();
    asked[1]?.answer(OUTAGE);
    await turn();
    expect(prepared.ask(SCOPE, image('a')).known).toEqual({ texts: ['claim'] });
    await turn();
    clock.nowMs += 600;
    expect(prepared.ask(SCOPE, image('a')).known).toBeUndefined();
    asked[2]?.answer(OUTAGE);
    await turn();
    expect(prepared.ask(SCOPE, image('a')).known).toEqual({ error: OUTAGE });
  });

  it('ends when the registry says that nothing is attached any more', async () => {
    const { prepared, asked, clock } = store({ freshMs: 100 });
    prepared.ask(SCOPE, image('a'));
    await turn();
    asked[0]?.answer(['claim']);
    await turn();
    clock.nowMs += 200;
    prepared.ask(SCOPE, image('a'));
    await turn();
    asked[1]?.answer([]);
    await turn();
    expect(prepared.ask(SCOPE, image('a')).known).toEqual({ texts: [] });
  });

  it.each<[string, readonly string[] | Error, object]>([
    ['nothing was found', [], { texts: [] }],
    ['nobody answered', OUTAGE, { error: OUTAGE }],
  ])('is asked again soon where %s', async (_, said, known) => {
    const { prepared, asked, clock } = store({ freshMs: 100 });
    prepared.ask(SCOPE, image('a'));
    await turn();
    asked[0]?.answer(said);
    await turn();
    expect(prepared.ask(SCOPE, image('a')).known).toEqual(known);
    clock.nowMs += 200;
    expect(prepared.ask(SCOPE, image('a')).known).toBeUndefined();
  });

  it('is told of a fault of ours as an error, never as nothing', async () => {
    const { prepared, asked } = store();
    const { done } = prepared.ask(SCOPE, image('a'));
    await turn();
    asked[0]?.answer(new TypeError('x'));
    expect(await done).toEqual({ error: new TypeError('x') });
  });
});

describe('a slow registry', () => {
  it('holds up its own images only, and no more of them than may wait', async () => {
    const { prepared, asked } = store({ runningPerHost: 2, waitingPerHost: 1 });
    for (const digit of ['1', '2', '3']) expect(prepared.ask(SCOPE, image(digit)).done).toBeDefined();
    expect(prepared.ask(SCOPE, image('4'))).toMatchObject({
      known: { error: { code: 'CLAIMS_UNAVAILABLE', message: expect.stringMatching(/too many wait/) } },
    });
    prepared.ask(SCOPE, image('5', 'other.example'));
    await turn();
    expect(asked.map(({ name }) => name)).toEqual(['r.example 1', 'r.example 2', 'other.example 5']);
    asked[0]?.answer(OUTAGE);
    await turn();
    expect(asked.map(({ name }) => name).at(-1)).toBe('r.example 3');
    expect(prepared.ask(SCOPE, image('4')).done).toBeDefined();
  });
});

describe('the memory of it', () => {
  it('keeps what is being fetched, however many are, and counts no bytes that it does not hold', async () => {
    const { prepared, asked } = store({ entries: 1, bytes: 10 });
    for (const digit of ['1', '2', '3']) prepared.ask(SCOPE, image(digit));
    await turn();
    expect(prepared.ask(SCOPE, image('1')).done).toBeDefined();
    expect(asked).toHaveLength(3);
    for (const { answer } of asked) answer(['x'.repeat(6)]);
    await turn();
    prepared.ask(SCOPE, image('4'));
    await turn();
    asked.at(-1)?.answer(['x'.repeat(6)]);
    await turn();
    expect(prepared.ask(SCOPE, image('4')).known).toBeDefined();
  });

  it('holds nothing of what may not even wait', async () => {
    const { prepared, asked } = store({ entries: 2, runningPerHost: 1, waitingPerHost: 0 });
    prepared.ask(SCOPE, image('1', 'other.example'));
    prepared.ask(SCOPE, image('2'));
    await turn();
    for (const { answer } of asked.splice(0, 1)) answer(['x']);
    await turn();
    prepared.ask(SCOPE, image('3'));
    expect(prepared.ask(SCOPE, image('1', 'other.example')).known).toBeDefined();
  });

  it('is bounded by entries and bytes; what is used stays', async () => {
    const { prepared, asked } = store({ entries: 2, bytes: 10 });
    const fill = async (digit: string, text: string): Promise<void> => {
      prepared.ask(SCOPE, image(digit));
      await turn();
      asked.at(-1)?.answer([text]);
      await turn();
    };
    await fill('1', 'x');
    await fill('2', 'x');
    expect(prepared.ask(SCOPE, image('1')).known).toBeDefined();
    await fill('3', 'x');
    expect(prepared.ask(SCOPE, image('1')).known).toBeDefined();
    await fill('4', 'x'.repeat(11));
    expect(prepared.ask(SCOPE, image('4')).known).toBeUndefined();
  });
});
