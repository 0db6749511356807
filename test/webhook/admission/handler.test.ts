// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import type { Judgement } from '../../../engine/index.ts';
import { answerReview } from '../../../webhook/admission/handler.ts';
import { parseReview } from '../../../webhook/admission/review.ts';
import { ID, judgementOf, NOW, reviewOf } from '../harness.ts';

const review = parseReview(Buffer.from(JSON.stringify(reviewOf())));

/** Answers with a `late` that says these in turn. */
async function answer(...late: readonly boolean[]): Promise<{ outcome: object; did: readonly string[] }> {
  const did: string[] = [];
  const said = [...late];
  const judge = {
    review: (): Judgement => {
      did.push('judged');
      return judgementOf();
    },
  };
  const conclude = async (): Promise<{ recordId: string }> => {
    did.push('concluded');
    return { recordId: '7' };
  };
  const outcome = await answerReview(
    review,
    { judge, conclude, now: () => NOW, newId: () => ID },
    () => said.shift() ?? false,
  );
  return { outcome, did };
}

describe('an admission whose time is up', () => {
  const refused = { verdict: 'error', failure: { code: 'DEADLINE' }, answer: { allowed: false } };

  it('before its turn is not judged', async () => {
    const { outcome, did } = await answer(true);
    expect(outcome).toMatchObject(refused);
    expect(did).toEqual([]);
  });

  it('while it was judged leaves no record: nobody will act on an allow', async () => {
    const { outcome, did } = await answer(false, true);
    expect(outcome).toMatchObject(refused);
    expect(did).toEqual(['judged']);
  });

  it('not yet is judged and concluded', async () => {
    const { outcome, did } = await answer(false, false);
    expect(outcome).toMatchObject({ verdict: 'allow', answer: { allowed: true }, recordId: '7' });
    expect(did).toEqual(['judged', 'concluded']);
  });
});
