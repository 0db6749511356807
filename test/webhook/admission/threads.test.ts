// SPDX-License-Identifier: Apache-2.0
// Real threads over real policies: what they answer, what is in the way of an answer, and that none of it is an allow.
import { resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/index.ts';
import type { JudgeParts } from '../../../engine/parts.ts';
import { partsOf } from '../../../engine/parts.ts';
import { compilePolicy, loadPolicy } from '../../../engine/policy/index.ts';
import type { PolicyFacts } from '../../../engine/policy/policy.ts';
import { openRegoToolchain } from '../../../engine/toolchain/rego.ts';
import type { Judged } from '../../../webhook/admission/judging.ts';
import { type JudgingThreads, openThreads } from '../../../webhook/admission/threads.ts';
import { WebhookError } from '../../../webhook/error.ts';
import { ID, NOW, reviewOf } from '../harness.ts';

const TOOLCHAIN = resolve('engine/toolchain/built');
const toolchain = openRegoToolchain({ directory: TOOLCHAIN, deadlineMs: 60_000 });
const open: JudgingThreads[] = [];
afterAll(async () => {
  await Promise.all([toolchain.close(), ...open.map((threads) => threads.close())]);
});

const RULES = `package main

deny contains "no owner" if not input.metadata.labels.owner

deny contains "never" if {
\tinput.metadata.name == "slow"
\tcount([1 | some i in numbers.range(1, 3000); some j in numbers.range(1, 3000); i * j == -1]) > 0
}
`;

/** More than a thread of 48 MiB can hold once it is read. */
const HUNGRY = JSON.stringify(
  reviewOf({ object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: [] } }),
).replace('"spec":[]', () => `"spec":[${'[[]],'.repeat(1_200_000)}[]]`);

/** Parts of a judge whose rule is the given text. */
async function partsFor(text = RULES, facts: Partial<PolicyFacts> = {}): Promise<JudgeParts> {
  const sources = [{ file: 'main.rego', text }];
  const compiled = await compilePolicy(
    { name: 'p', sources, namespaces: { names: ['main'], all: false } },
    toolchain,
  );
  const policy = loadPolicy(compiled, { name: 'p', revision: '1', parameters: {}, data: {}, ...facts });
  return { bench: partsOf({ policies: [policy], enforcement: {} }) };
}

/** Parts whose module is cut off. */
async function brokenParts(): Promise<JudgeParts> {
  const parts = await partsFor();
  if (!('bench' in parts)) throw new Error('one bench');
  const policies = parts.bench.policies.map((policy) =>
    policy.parts.kind === 'compiled'
      ? {
          ...policy,
          parts: { ...policy.parts, compiled: { ...policy.parts.compiled, metered: new Uint8Array(8) } },
        }
      : policy,
  );
  return { bench: { ...parts.bench, policies } };
}

function start(count = 2, limits: { heapMib?: number; stuckMs?: number } = {}): JudgingThreads {
  const threads = openThreads({ count, ...limits, toolchain: TOOLCHAIN, engine: { version: '0', opa: '0' } });
  open.push(threads);
  return threads;
}

const bodyOf = (name = 'web', request: Record<string, unknown> = {}, labels = { owner: 'team' }): Buffer =>
  Buffer.from(
    JSON.stringify(
      reviewOf({
        object: { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels } },
        ...request,
      }),
    ),
  );
const ask = (threads: JudgingThreads, body: Buffer, isWanted = () => true): Promise<Judged> =>
  threads.judge(body, { time: NOW, id: ID }, isWanted);
const outcomes = async (all: readonly Promise<Judged>[]): Promise<readonly string[]> =>
  (await Promise.allSettled(all)).map((one) =>
    one.status === 'fulfilled' ? one.value.verdict : String(Object(one.reason).code),
  );

describe('threads that judge', () => {
  it('answer with the text, the statement and what the log wants to know', async () => {
    const threads = start();
    await threads.use(await partsFor());
    const { statement, answer, ...rest } = await ask(threads, bodyOf());
    expect(rest).toEqual({
      review: {
        uid: 'u-1',
        operation: 'CREATE',
        group: '',
        kind: 'Pod',
        namespace: 'shop',
        name: 'web',
        dryRun: false,
      },
      verdict: 'allow',
      allowed: true,
      decision: { id: ID, findings: 0 },
    });
    expect(JSON.parse(answer).response).toEqual({
      uid: 'u-1',
      allowed: true,
      auditAnnotations: { decision: ID, verdict: 'allow' },
    });
    const said = JSON.parse(Buffer.from(statement ?? []).toString());
    expect(said.predicate).toMatchObject({ id: ID, verdict: 'allow', time: NOW.toISOString() });
    const dry = await ask(threads, bodyOf('web', { dryRun: true }));
    expect([dry.verdict, dry.statement]).toEqual(['allow', undefined]);
  });

  it('answer many at once, each for itself, small bodies and large ones', async () => {
    const threads = start();
    await threads.use(await partsFor());
    const all = Array.from({ length: 60 }, (_, index) => {
      const labels =
        index % 3 === 0 ? { other: 'x'.repeat(index * 4000) } : { owner: 'x'.repeat(index * 4000) };
      const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', labels } };
      return ask(threads, Buffer.from(JSON.stringify(reviewOf({ uid: `u-${index}`, object }))));
    });
    const judged = await Promise.all(all);
    expect(judged.map(({ review, verdict }) => [review.uid, verdict])).toEqual(
      all.map((_, index) => [`u-${index}`, index % 3 === 0 ? 'deny' : 'allow']),
    );
  });

  it('refuse what is no admission, as it would be refused here', async () => {
    const threads = start(1);
    await threads.use(await partsFor());
    await expect(ask(threads, Buffer.from('{'))).rejects.toEqual(
      new WebhookError('REQUEST_SYNTAX', 'the body is not JSON'),
    );
    await expect(ask(threads, bodyOf('a\u0000b'))).rejects.toBeInstanceOf(EngineError);
  });

  it('judge nothing before they were told by what, nor once they are closed', async () => {
    const threads = start(1);
    await expect(ask(threads, bodyOf())).rejects.toMatchObject({ code: 'NOT_READY' });
    await threads.use(await partsFor());
    await threads.close();
    await expect(ask(threads, bodyOf())).rejects.toMatchObject({ code: 'NOT_READY' });
  });

  it('start none in the place of those that were closed, for what was asked before', async () => {
    const threads = start(1);
    await threads.use(await partsFor());
    const asked = ask(threads, bodyOf());
    const closed = threads.close();
    await expect(asked).rejects.toMatchObject({ code: 'INTERNAL' });
    await closed;
    expect(threads.notReady()).toEqual(['no thread that judges']);
  });

  it('leave out what is no longer wanted when its turn comes', async () => {
    const threads = start(1);
    await threads.use(await partsFor());
    await expect(ask(threads, bodyOf(), () => false)).rejects.toMatchObject({ code: 'DEADLINE' });
    expect((await ask(threads, bodyOf())).verdict).toBe('allow');
  });

  it('serve others while one evaluation takes long', async () => {
    const threads = start(2);
    await threads.use(await partsFor());
    const order: string[] = [];
    const slow = ask(threads, bodyOf('slow')).then(() => order.push('slow'));
    const quick = Array.from({ length: 20 }, () => ask(threads, bodyOf()).then(() => order.push('quick')));
    await Promise.all([slow, ...quick]);
    expect(order.slice(0, 16)).toEqual(Array.from({ length: 16 }, () => 'quick'));
  });

  it('judge by new parts as soon as they were told', async () => {
    const threads = start(2);
    await threads.use(await partsFor());
    const before = Array.from({ length: 10 }, () => ask(threads, bodyOf()));
    await threads.use(await partsFor('package main\n\ndeny contains "all" if input.kind'));
    const after = Array.from({ length: 10 }, () => ask(threads, bodyOf()));
    for (const verdict of await outcomes(before)) expect(['allow', 'deny']).toContain(verdict);
    expect(await outcomes(after)).toEqual(after.map(() => 'deny'));
  });

  it('keep to what they judged by when new parts cannot be opened', async () => {
    const threads = start(2);
    await threads.use(await partsFor());
    await expect(threads.use(await brokenParts())).rejects.toMatchObject({
      code: 'POLICY_MODULE',
    });
    expect(await outcomes([ask(threads, bodyOf()), ask(threads, bodyOf('x', {}, { owner: '' }))])).toEqual([
      'allow',
      'allow',
    ]);
  });

  it('that the system does not give are no answer', async () => {
    let asked = 0;
    // What cannot be copied to a thread keeps it from starting, as a lack of memory would; the first has it.
    const engine = Object({
      opa: '0',
      get version() {
        asked += 1;
        return asked === 1 ? '0' : () => '0';
      },
    });
    const threads = openThreads({ count: 1, heapMib: 48, toolchain: TOOLCHAIN, engine });
    open.push(threads);
    await threads.use(await partsFor());
    await expect(ask(threads, Buffer.from(HUNGRY))).rejects.toMatchObject({ code: 'INTERNAL' });
    await expect(ask(threads, bodyOf())).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(threads.notReady()).toEqual(['no thread that judges']);
  });

  it('that end while they load reject who asked them to', async () => {
    const threads = start(1, { heapMib: 48 });
    const parts = await partsFor();
    if (!('bench' in parts)) throw new Error('one bench');
    const data = `{"x":[${'[[]],'.repeat(1_200_000)}[]]}`;
    const policies = parts.bench.policies.map((policy) => ({ ...policy, data }));
    await expect(threads.use({ bench: { ...parts.bench, policies } })).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    expect(threads.notReady()).toEqual(['no thread that judges']);
  });

  it('have data exactly, numbers that no double holds included', async () => {
    const threads = start(1);
    const rule = 'package main\n\ndeny contains "exact" if data.n - 9007199254740992 == 1';
    await threads.use(await partsFor(rule, { data: { n: JSON.rawJSON('9007199254740993') } }));
    expect((await ask(threads, bodyOf())).verdict).toBe('deny');
  });

  it('see what was proved about the images, and nothing where nothing was looked for', async () => {
    const threads = start(1);
    await threads.use(
      await partsFor(`# METADATA
# scope: package
# title: "Images are proved"
# description: "Something was proved about each image."
# custom:
#   severity: high
#   controls: []
#   remedy: "none"
package countersign.rules.image.proved

deny contains {"msg": "nothing is proved"} if not input.claims[0].type == "t"
`),
    );
    const digest = `sha256:${'a'.repeat(64)}`;
    const spec = { containers: [{ name: 'web', image: `r.example/web@${digest}` }] };
    const body = bodyOf('web', {
      object: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop' }, spec },
    });
    const facts = { time: NOW, id: ID };
    const claim = { type: 't', subject: digest, digest, predicateType: 't', signer: { kind: 'key' } };
    const proved = { ...facts, claims: new Map([[digest, [JSON.stringify(claim)]]]) };
    expect(await outcomes([proved, facts].map((told) => threads.judge(body, told, () => true)))).toEqual([
      'allow',
      'deny',
    ]);
  });

  it('say whether any of them judges', async () => {
    const threads = start(1);
    expect(threads.notReady()).toEqual(['no thread that judges']);
    await threads.use(await partsFor());
    expect(threads.notReady()).toEqual([]);
    await threads.close();
    await expect(threads.use(await partsFor())).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('that cannot open anything judge nothing, and the next try is a second later', async () => {
    const threads = start(2);
    await expect(threads.use(await brokenParts())).rejects.toMatchObject({ code: 'POLICY_MODULE' });
    expect(threads.notReady()).toEqual(['no thread that judges']);
    await expect(ask(threads, bodyOf())).rejects.toMatchObject({ code: 'NOT_READY' });
    await threads.use(await partsFor());
    expect((await ask(threads, bodyOf())).verdict).toBe('allow');
  });

  it('answer what is judged before they begin with a large one', async () => {
    const threads = start(1);
    await threads.use(await partsFor());
    const order: string[] = [];
    const note = (name: string) => (): void => void order.push(name);
    const large = { owner: 'x'.repeat(4_000_000) };
    const both = [
      ask(threads, bodyOf()).then(note('small')),
      ask(threads, bodyOf('web', {}, large)).then(note('large')),
    ];
    await Promise.race(both);
    expect(order).toEqual(['small']);
    await Promise.all(both);
  });

  it('that end reject what they were asked, and others take their place', async () => {
    const threads = start(2, { heapMib: 48 });
    await threads.use(await partsFor());
    await expect(ask(threads, Buffer.from(HUNGRY))).rejects.toEqual(
      new WebhookError('INTERNAL', 'the thread that judged ended', {
        hint: 'try again; if it lasts, look for a policy that takes very much memory',
      }),
    );
    expect(await outcomes(Array.from({ length: 12 }, () => ask(threads, bodyOf())))).toEqual(
      Array.from({ length: 12 }, () => 'allow'),
    );
  });

  it('that do not answer are ended', async () => {
    const threads = start(1, { stuckMs: 1_000 });
    const long = RULES.replaceAll('3000', '100000');
    const parts = await partsFor(long, { limits: { steps: 1e15, memoryBytes: 2e9 } });
    // On a busy machine a thread may be ended before it has even opened them.
    const used = (): Promise<void> => threads.use(parts).catch(used);
    await used();
    await expect(ask(threads, bodyOf('slow'))).rejects.toMatchObject({ code: 'INTERNAL' });
    // Nor may the one that takes its place.
    const again = (): Promise<Judged> => ask(threads, bodyOf()).catch(again);
    expect((await again()).verdict).toBe('allow');
  });
});
