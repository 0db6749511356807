// SPDX-License-Identifier: Apache-2.0
// Conftest pulls what we push, and we pull what Conftest pushes.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectSame } from '../cluster/checks/tally.ts';
import { countersign, expectOutcome, run, type Scene, write } from './scene.ts';

/** Both directions over one registry. */
export async function conftest(scene: Scene): Promise<void> {
  const { tally, programs, directory, registry } = scene;
  const lock = ['--plain-http', '--lock', 'countersign.lock'];
  await tally.check('conftest pull reads what we pushed', async () => {
    const target = `oci://${registry}/team/ours:v1`;
    expectOutcome(countersign(scene, 'policy', 'push', 'ours.tar.gz', target, '--plain-http'), 0);
    expectOutcome(run(scene, programs.conftest, 'pull', target, '-p', 'pulled'), 0);
    expectSame('the rule', existsSync(join(directory, 'pulled/main/main.rego')), true);
    const tested = run(
      scene,
      programs.conftest,
      'test',
      'object.yaml',
      '-p',
      'pulled',
      '-d',
      'pulled',
      '--no-color',
    );
    expectOutcome(tested, 1, '1 replicas');
    return undefined;
  });
  await tally.check(
    'we pull what conftest pushed, and judge as conftest does once it has pulled it',
    async () => {
      write(scene, {
        'theirs/policy/main.rego':
          'package main\n\ndeny contains "too few" if input.spec.replicas < data.policy.limits.minimum\n',
        'theirs/policy/limits/x.json': '{"minimum": 2}',
        'theirs/policy/limits/y.json': '{"maximum": 9}',
      });
      const target = `${registry}/team/theirs:v1`;
      const inside = { ...scene, directory: join(directory, 'theirs') };
      expectOutcome(run(inside, programs.conftest, 'push', target, '-p', 'policy'), 0);
      expectOutcome(run(scene, programs.conftest, 'pull', `oci://${target}`, '-p', 'again'), 0);
      const own = run(
        scene,
        programs.conftest,
        'test',
        'object.yaml',
        '-p',
        'again',
        '-d',
        'again',
        '--no-color',
      );
      expectOutcome(own, 1, 'too few');
      expectOutcome(
        countersign(scene, 'policy', 'pull', `oci://${target}`, '--update', '-o', 'theirs.tar.gz', ...lock),
        0,
      );
      expectOutcome(countersign(scene, 'check', '--policy', 'theirs.tar.gz', 'object.yaml'), 1, 'too few');
      expectOutcome(
        countersign(scene, 'check', '--policy', `oci://${target}`, ...lock, 'object.yaml'),
        1,
        'too few',
      );
      const pinned = JSON.parse(readFileSync(join(directory, 'countersign.lock'), 'utf8'));
      expectSame('the pins', Object.keys(pinned.bundles), [`oci://${target}`]);
      return undefined;
    },
  );
}
