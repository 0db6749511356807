// SPDX-License-Identifier: Apache-2.0
import { isAmong } from '../../../engine/context/people.ts';
import { environmentDigest, reviewsOf } from '../../../engine/people/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { deskOf, endOf, gatherAt, SIGNING_FLAGS, shown, signAndWrite, wanted } from './signing.ts';

export const breakGlass: Verb = {
  name: 'break-glass',
  summary:
    'Lets denied changes through in one environment for some hours: signed, recorded, and to be reviewed.',
  positionals: '',
  details: [
    'It needs no ledger and no login: a key that the Project knew before. As many people as the environment says (breakGlass: quorum) sign',
    'for one incident. Each change that it lets through is recorded with the basis break-glass; what could not be evaluated stays blocked.',
    'Somebody else reviews it with countersign approve FILE; countersign reviews lists what is overdue.',
  ].join('\n'),
  flags: {
    incident: { value: 'ID', help: 'the incident' },
    for: { value: 'TIME', help: 'how long: 2h, 30m, or a time' },
    reason: { value: 'TEXT', help: 'what is to be done' },
    ...SIGNING_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  if (args.positionals.length > 0)
    throw new UsageError(
      `unexpected ${JSON.stringify(args.positionals[0])}`,
      'see countersign break-glass --help',
    );
  const desk = deskOf(args, io);
  const now = io.now();
  const { name, breakGlass: rule } = desk.environment;
  const until = endOf('for', wanted(args, 'for'), now);
  const most = rule?.longestHours ?? 4;
  if (rule === undefined)
    throw new UsageError(
      `the glass of environment ${JSON.stringify(name)} cannot be broken`,
      'its breakGlass in the Project says who may',
    );
  if (Date.parse(until) - now.getTime() > most * 3_600_000)
    throw new UsageError(`--for is longer than ${most} hours`, 'sign again when the time is up');
  const reason = args.text('reason');
  const incident = wanted(args, 'incident');
  const { file, signed } = await signAndWrite(
    {
      kind: 'break-glass',
      subject: [{ name: 'environment.txt', digest: { sha256: environmentDigest(name) } }],
      predicate: {
        environment: name,
        incident,
        time: now.toISOString(),
        until,
        ...(reason === undefined ? {} : { reason }),
      },
    },
    desk,
    ({ person }) => {
      const own = desk.found.project.people?.find((one) => one.name === person);
      if (own !== undefined && isAmong(own, rule.from)) return;
      throw new UsageError(
        `${person} may not break the glass of ${JSON.stringify(name)}`,
        `these may: ${rule.from.join(', ')}`,
      );
    },
  );
  io.out(
    `${file}: ${signed.person} breaks the glass of ${shown(name)} for ${shown(incident)}, until ${until}\n`,
  );
  const quorum = rule.quorum ?? 1;
  io.err(
    `warning: until ${until} denied changes go through in ${shown(name)}${quorum > 1 ? `, once ${quorum} people have signed for this incident` : ''}\nhint: each is recorded; somebody else is to review it within ${rule.reviewWithinHours ?? 72} hours of its end\n`,
  );
  return 0;
}

export const reviews: Verb = {
  name: 'reviews',
  summary: 'Lists what is to be reviewed of the broken glasses of an environment.',
  positionals: '',
  details: 'Exit code: 0 nothing is overdue; 1 something is.',
  flags: {
    env: { value: 'NAME', help: 'the environment' },
    project: SIGNING_FLAGS['project'] ?? { help: '' },
  },
  run: async (args, io) => {
    if (args.positionals.length > 0)
      throw new UsageError(
        `unexpected ${JSON.stringify(args.positionals[0])}`,
        'see countersign reviews --help',
      );
    const desk = deskOf(args, io);
    const all = reviewsOf((await gatherAt(desk)).signed, desk.environment, io.now());
    for (const { state, incident, by, until, due, reviewer, id } of all)
      io.out(
        `${state}: ${shown(incident)} by ${by}, until ${until}, ${reviewer === undefined ? `to be reviewed by ${due}` : `reviewed by ${reviewer}`}\n    sha256:${id}\n`,
      );
    io.out(`${all.filter(({ state }) => state === 'overdue').length} overdue of ${all.length}\n`);
    return all.some(({ state }) => state === 'overdue') ? 1 : 0;
  },
};
