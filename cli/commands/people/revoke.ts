// SPDX-License-Identifier: Apache-2.0
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { deskOf, readHolding, SIGNING_FLAGS, signAndWrite, wanted } from './signing.ts';

export const revoke: Verb = {
  name: 'revoke',
  summary:
    'Takes back an approval, a waiver or a broken glass: signed, so that it cannot be undone by a copy.',
  positionals: 'STATEMENT',
  details:
    'Whoever may sign such a statement in its environment may take one back, not only who signed it. A lock is opened with countersign unlock instead.',
  flags: { reason: { value: 'TEXT', help: 'why' }, ...SIGNING_FLAGS },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [path, more] = args.positionals;
  if (path === undefined || more !== undefined)
    throw new UsageError(
      'one statement is wanted',
      'countersign revoke FILE --reason TEXT --env NAME --key FILE',
    );
  const desk = deskOf(args, io);
  const target = await readHolding(path, desk);
  if (target.kind === 'revocation' || target.kind === 'release-lock')
    throw new UsageError(
      `a ${target.kind} cannot be revoked`,
      'sign what is to hold instead: countersign lock, unlock',
    );
  const { file, signed } = await signAndWrite(
    {
      kind: 'revocation',
      subject: [{ name: target.kind, digest: { sha256: target.id } }],
      predicate: {
        environment: desk.environment.name,
        statementType: target.statement.predicateType,
        reason: wanted(args, 'reason'),
        time: io.now().toISOString(),
      },
    },
    desk,
    ({ how, person }) => {
      if (how !== 'forge' || target.how === 'forge') return;
      throw new UsageError(`${person} takes back imports alone`, 'sign with a key of one of the people');
    },
  );
  io.out(`${file}: ${signed.person} revokes the ${target.kind} of ${target.person}, sha256:${target.id}\n`);
  return 0;
}
