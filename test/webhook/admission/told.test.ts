// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/index.ts';
import { errorOf, tell } from '../../../webhook/admission/told.ts';
import { WebhookError } from '../../../webhook/error.ts';
import { failureEvent } from '../../../webhook/log.ts';

const OWN = [
  new EngineError('POLICY_MODULE', 'broken', { hint: 'mend it' }),
  new EngineError('POLICY_EMPTY', 'none'),
  new WebhookError('REQUEST_SHAPE', 'no', { hint: 'send another' }),
  new WebhookError('DEADLINE', 'late'),
];

describe('an error of another thread', () => {
  it.each(OWN)('of ours is what it was: $code', (error) => {
    const told = errorOf(structuredClone(tell(error)));
    expect(told).toEqual(error);
    expect(told.constructor).toBe(error.constructor);
    expect(Object(told).code).toBe(error.code);
  });

  it('that is none of ours is told by its name and frames, and quotes nothing', () => {
    const error = errorOf(structuredClone(tell(new RangeError('secret'))));
    const event = failureEvent(error, {});
    expect(event).toMatchObject({ code: 'INTERNAL', error: 'RangeError' });
    expect(event['stack']).toContain('told.test.ts');
    expect(JSON.stringify([event, error.message])).not.toContain('secret');
    expect(failureEvent(errorOf(tell('no error at all')), {})).toMatchObject({ error: 'string' });
  });
});
