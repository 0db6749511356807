// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSigner } from '../../attest/index.ts';
import type { Args, Verb } from '../args.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import type { Io } from '../io.ts';
import { makeFolder, openState, stateKey, write } from '../seal.ts';

const PROJECT = `# yaml-language-server: $schema=https://countersign.dev/schemas/project/v1alpha1.json
apiVersion: countersign.dev/v1alpha1
kind: Project
environments:
  - name: production
    tier: production
    namespaces: [web]
    packs:
      - name: baseline
        parameters:
          # the registries that images may come from: host, or host/path
          images.registry:
            registries: [registry.k8s.io, registry.shop.example]
# what happens at admission in a namespace of no environment: deny, warn or allow
unmapped: warn
ledger:
  directory: .countersign
`;

export const init: Verb = {
  name: 'init',
  summary:
    'Makes a working Project: countersign.yaml, a signing key, a ledger and the trust file to verify with.',
  positionals: '[DIR]',
  details: 'Nothing that exists is changed.',
  flags: {},
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [directory = '.', more] = args.positionals;
  if (more !== undefined) throw new UsageError('more than one folder is given', 'countersign init [DIR]');
  const project = join(directory, 'countersign.yaml');
  if (existsSync(project))
    throw new UsageError(
      `${JSON.stringify(project)} exists`,
      'nothing was changed; remove it first to start anew',
    );
  const state = join(directory, '.countersign');
  makeFolder(directory);
  const signer = readSigner(stateKey(state));
  await openState(state, signer, io).close();
  write(join(state, '.gitignore'), '*\n', 0o644);
  write(project, PROJECT, 0o644);
  io.out(
    [
      `${project}: the Project; name your registries and namespaces in it`,
      `${join(state, 'key.pem')}: the private key that signs records; keep it secret`,
      `${join(state, 'trust.json')}: give this to whoever verifies records`,
      '',
      'next: countersign check --env production --record record.json --key .countersign/key.pem PATH',
      '',
    ].join('\n'),
  );
  return 0;
}
