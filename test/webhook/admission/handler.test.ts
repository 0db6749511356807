// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { type Admission, answerBody, type Outcome } from '../../../webhook/admission/handler.ts';
import { WebhookError } from '../../../webhook/error.ts';
import { ID, judgementOf, judgingBy, NOW, reviewOf } from '../harness.ts';

const body = Buffer.from(JSON.stringify(reviewOf()));

/** Answers with a `late` that says these in turn. */
async function answer(
  late: readonly boolean[],
  part: Partial<Admission> = {},
): Promise<{ outcome: Outcome; did: readonly string[] }> {
  const did: string[] = [];
  const said = [...late];
  const judge = judgingBy({
    review: () => {
      did.push('judged');
      return judgementOf();
    },
  });
  const record = async (): Promise<{ recordId: string }> => {
    did.push('recorded');
    return { recordId: '7' };
  };
  const admission = { judge, record, now: () => NOW, newId: () => ID, ...part };
  return { outcome: await answerBody(body, admission, () => said.shift() ?? false), did };
}

describe('an admission whose time is up', () => {
  const refused = { verdict: 'error', allowed: false, failure: { code: 'DEADLINE' } };

  it('before its turn is not judged', async () => {
    const { outcome, did } = await answer([true]);
    expect(outcome).toMatchObject(refused);
    expect(did).toEqual([]);
  });

  it('while it was judged leaves no record: nobody will act on an allow', async () => {
    const { outcome, did } = await answer([false, true]);
    expect(outcome).toMatchObject(refused);
    expect(JSON.parse(outcome.answer).response.allowed).toBe(false);
    expect(did).toEqual(['judged']);
  });

  it('not yet is judged and recorded', async () => {
    const { outcome, did } = await answer([false, false]);
    expect(outcome).toMatchObject({ verdict: 'allow', allowed: true, recordId: '7' });
    expect(JSON.parse(outcome.answer).response).toMatchObject({
      allowed: true,
      auditAnnotations: { record: '7' },
    });
    expect(did).toEqual(['judged', 'recorded']);
  });
});

describe('an admission without a judgement', () => {
  const ended = new WebhookError('INTERNAL', 'the thread that judged ended');

  it('is refused by the uid that it came with', async () => {
    const { outcome } = await answer([], { judge: () => Promise.reject(ended) });
    expect(outcome).toMatchObject({ allowed: false, verdict: 'error', failure: { code: 'INTERNAL' } });
    expect(JSON.parse(outcome.answer).response).toEqual({
      uid: 'u-1',
      allowed: false,
      status: {
        status: 'Failure',
        reason: 'InternalError',
        code: 500,
        message: 'countersign: no answer [INTERNAL]: the thread that judged ended',
      },
    });
  });

  it('that is none is no answer at all', async () => {
    const admission = { judge: () => Promise.reject(ended), record: async () => ({ recordId: '7' }) };
    await expect(
      answerBody(Buffer.from('{}'), { ...admission, now: () => NOW, newId: () => ID }, () => false),
    ).rejects.toMatchObject({ code: 'REQUEST_SHAPE' });
  });
});
