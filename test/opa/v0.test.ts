// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from '@jest/globals';
import { DEADLINE_MS, openSuite } from './suite.ts';

const suite = openSuite('v0');
afterAll(() => suite.close());

describe("OPA's own cases, v0", () => {
  it(
    'come out as OPA has them, but for those that stand in exceptions.json',
    async () => {
      const { different, unexpected, failing, summary } = await suite.run();
      expect(unexpected).toEqual([]);
      // One that begins to pass is no exception any more.
      expect(different).toEqual(failing);
      console.info(summary);
    },
    DEADLINE_MS,
  );

  it(
    'do not compile as policies where they call what policies are refused',
    async () => expect(await suite.compiledThough()).toEqual([]),
    DEADLINE_MS,
  );
});
