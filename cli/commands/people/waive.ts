// SPDX-License-Identifier: Apache-2.0
import { isWaivable, lengthFault, scopeDigest, tooLongFor } from '../../../engine/people/index.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { deskOf, endOf, SIGNING_FLAGS, shown, signAndWrite, wanted } from './signing.ts';

export const waive: Verb = {
  name: 'waive',
  summary: 'Asks for an exception from one rule, for one object, in one environment, until a date: signed.',
  positionals: 'RULE',
  details: [
    'It counts from when somebody else, whom the Project has under waivers: from, signs it with countersign approve FILE. What is severe',
    'is waived for a few days only (waivers: longestDays). Rules about approvals, locks and environments are never waived.',
  ].join('\n'),
  flags: {
    object: {
      value: 'ID',
      help: 'the object, as findings name it: <group>/<Kind>/<namespace>/<name>; * as the name is all of them',
    },
    reason: { value: 'TEXT', help: 'why' },
    ticket: { value: 'ID', help: 'where it is followed up' },
    expires: { value: 'TIME', help: 'its end: 14d, 2h, or a time such as 2027-01-01T00:00:00Z' },
    ...SIGNING_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [rule, more] = args.positionals;
  if (rule === undefined || more !== undefined)
    throw new UsageError(
      'one rule is wanted',
      'countersign waive RULE --object ID --reason TEXT --ticket ID --expires 14d --env NAME --key FILE',
    );
  const desk = deskOf(args, io);
  const now = io.now();
  const predicate = {
    environment: desk.environment.name,
    rule,
    object: objectOf(args),
    reason: wanted(args, 'reason'),
    ticket: wanted(args, 'ticket'),
    notBefore: now.toISOString(),
    expires: endOf('expires', wanted(args, 'expires'), now),
  };
  if (!isWaivable(rule))
    throw new UsageError(`rule ${JSON.stringify(rule)} is never waived`, 'do what it asks for');
  // Which severity the finding has is known when there is one: here only what could never count.
  const longestDays = desk.found.project.waivers?.longestDays ?? {};
  const fault = lengthFault(predicate, 'low', longestDays);
  if (fault !== undefined) throw new UsageError(fault, 'give it an earlier end');
  const subject = [{ name: 'waiver.txt', digest: { sha256: scopeDigest(predicate) } }];
  const { file, signed } = await signAndWrite({ kind: 'waiver', subject, predicate }, desk);
  io.out(
    [
      `${file}: ${signed.person} asks for an exception from ${shown(rule)}`,
      `object      ${predicate.object}`,
      `environment ${predicate.environment}`,
      `until       ${predicate.expires}`,
      ...tooLongFor(predicate, longestDays).map(
        (severity) => `not for     what is ${severity}: it is too long for that`,
      ),
      `statement   sha256:${signed.id}`,
      `next: countersign approve ${file} --env ${predicate.environment}, by somebody else`,
      '',
    ].join('\n'),
  );
  if (predicate.object.endsWith('/*'))
    io.err(`warning: it is about every ${predicate.object.slice(0, -2)}\nhint: name the one object\n`);
  return 0;
}

const OBJECT = /^[^/*\s]*\/[^/*\s]+\/[^/*\s]*\/(?:[^/*]+|\*)$/;

function objectOf(args: Args): string {
  const object = wanted(args, 'object');
  if (OBJECT.test(object)) return object;
  throw new UsageError(
    `--object ${JSON.stringify(object)} is no id of an object`,
    'as findings name it: apps/Deployment/shop/web, or /Pod/shop/* for every pod of the namespace',
  );
}
