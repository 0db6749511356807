// SPDX-License-Identifier: Apache-2.0
import { call } from '../api.ts';
import { waitFor } from '../process.ts';
import { type Serve, startServe } from '../serve.ts';
import { expectStatus, ownWrites } from './admission.ts';
import { deployment, PATHS } from './objects.ts';
import { readRecords } from './records.ts';
import type { Scene } from './scene.ts';
import { expectParts, expectSame } from './tally.ts';

/** With the webhook killed nothing is admitted; started again on the same state it serves, and nothing is lost. */
export async function outage(scene: Scene, serve: Serve): Promise<Serve> {
  const { plane, tally } = scene;
  const { access } = plane;
  await tally.check('with the webhook killed (SIGKILL), even a safe Deployment is refused', async () => {
    expectSame('how it ended', await serve.running.stop('SIGKILL'), 'SIGKILL');
    const answer = await call(access, 'POST', PATHS.deployments, deployment('orphan', 'safe'));
    expectStatus(answer, 500);
    expectParts('message', answer.message, ['failed calling webhook "admit.countersign.dev"']);
    expectStatus(await call(access, 'GET', `${PATHS.deployments}/orphan`), 404);
    return answer.message.replace(/^.*: /, '');
  });
  await ownWrites(scene, 'killed');
  const before = await recordIds(scene);
  const [again] = await restart(scene);
  await tally.check('started again on the same state, it has every record that it gave out', async () => {
    const after = await recordIds(scene);
    expectSame('the first records', after.slice(0, before.length), before);
    if (before.length === 0) throw new Error('there were no records');
    return `${before.length} records`;
  });
  await tally.check('and it admits a safe Deployment again', async () => {
    const created = async (): Promise<true | undefined> => {
      const answer = await call(access, 'POST', PATHS.deployments, deployment('orphan', 'safe'));
      return answer.status === 201 ? true : undefined;
    };
    await waitFor('a safe Deployment is stored', created, { patienceMs: 30_000 });
    return undefined;
  });
  if (again === undefined) throw new Error('the webhook does not start again');
  return again;
}

async function restart({ settings, tally }: Scene): Promise<Serve[]> {
  const started: Serve[] = [];
  await tally.check('the webhook starts again on the same state', async () => {
    started.push(await startServe(settings, 'second'));
    return undefined;
  });
  return started;
}

async function recordIds({ settings }: Scene): Promise<string[]> {
  return (await readRecords(settings.state)).map((record) => record.id);
}

/** Many changes at once: each gets its own answer. */
export async function crowd({ plane, tally }: Scene): Promise<void> {
  await tally.check('forty changes at once, safe and unsafe mixed, are each answered rightly', async () => {
    const kinds = Array.from({ length: 40 }, (_, index) => (index % 3 === 0 ? 'unsafe' : 'safe'));
    const answers = await Promise.all(
      kinds.map((kind, index) =>
        call(plane.access, 'POST', PATHS.deployments, deployment(`crowd-${index}`, kind)),
      ),
    );
    const wanted = kinds.map((kind) => (kind === 'safe' ? 201 : 403));
    expectSame(
      'HTTP status',
      answers.map((answer) => answer.status),
      wanted,
    );
    return undefined;
  });
}

/** SIGTERM while changes are on their way: each of them is answered, and the webhook ends by itself. */
export async function drain({ plane, tally }: Scene, serve: Serve): Promise<void> {
  await tally.check(
    'on SIGTERM the webhook answers what it has accepted and ends with exit code 0',
    async () => {
      const sent = Array.from({ length: 60 }, (_, index) =>
        call(plane.access, 'POST', PATHS.deployments, deployment(`last-${index}`, 'safe')),
      );
      await Promise.race(sent);
      // To the whole group, as a service manager or Ctrl-C does it: launcher and server are told at once.
      const ended = await serve.running.stop('SIGTERM', 30_000);
      const answers = await Promise.all(sent);
      expectSame('exit code', ended, 0);
      const stored = answers.filter(({ status }) => status === 201).length;
      const refused = answers.filter(({ status }) => status === 500).length;
      expectSame('answers that are either stored or refused', stored + refused, answers.length);
      const reasons = answers
        .filter(({ status }) => status === 500)
        .map(({ message }) => message.replace(/^.*: /, ''));
      return `${stored} stored, ${refused} refused: ${[...new Set(reasons)].join(', ') || 'none'}`;
    },
  );
}
