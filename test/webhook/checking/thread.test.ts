// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, it, jest } from '@jest/globals';
import { findInstallation } from '../../../cli/installation.ts';
import { type Checking, openChecking } from '../../../webhook/index.ts';

jest.setTimeout(60_000);

const { toolchain, version, opa } = findInstallation();
const open = (): Checking => {
  checking = openChecking({ toolchain, engine: { version, opa } });
  return checking;
};
let checking: Checking | undefined;
afterEach(() => checking?.close());

const FACTS = { environment: 'none', time: new Date(0), id: 'id', oidc: [] };
const codeOf = (checked: Promise<unknown>): Promise<unknown> =>
  checked.then(
    () => 'checked',
    (error: unknown) => Reflect.get(Object(error), 'code'),
  );
const ask = (of: Checking, leftMs: number): Promise<unknown> =>
  codeOf(of.check(Buffer.from('{}'), FACTS, leftMs));

it('is not ready before it has what to check by', async () => {
  expect(await ask(open(), 1_000)).toBe('NOT_READY');
});

it('ends what takes too long with its thread, and checks on', async () => {
  const own = open();
  own.use({ environments: new Map(), customKinds: [] });
  const answers = await Promise.all([ask(own, 0), ask(own, 1), ask(own, 30_000)]);
  expect(answers).toEqual(['DEADLINE', 'DEADLINE', 'REQUEST_ENVIRONMENT']);
});

it('refuses what waits when it is closed', async () => {
  const own = open();
  own.use({ environments: new Map(), customKinds: [] });
  const answers = Promise.all([ask(own, 30_000), ask(own, 30_000)]);
  await own.close();
  expect(await answers).toEqual(['INTERNAL', 'INTERNAL']);
  expect(await ask(own, 1_000)).toBe('NOT_READY');
});
