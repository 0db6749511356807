// SPDX-License-Identifier: Apache-2.0
// What a check is told of people. The verbs by which they sign are in cli/commands/people.
import type { Environment, Project } from '../../engine/context/project.ts';
import type { Args, Flags } from '../args.ts';
import { UsageError } from '../exit.ts';

export const PEOPLE_FLAGS: Flags = {
  approvals: {
    value: 'DIR',
    multiple: true,
    help: 'folder of signed statements, beside those of the Project',
  },
  requester: { value: 'NAME', help: 'who asks for the change; their approval never counts' },
  author: { value: 'NAME', multiple: true, help: 'who wrote it; their approval never counts' },
};

/**
 * Whether anything that people sign bears on this check: then what reads it is loaded.
 * @throws {UsageError} for a flag that would have no effect
 */
export function asksPeople(
  args: Args,
  project: Project | undefined,
  environment: Environment | undefined,
): boolean {
  const idle = Object.keys(PEOPLE_FLAGS).find((flag) => args.has(flag));
  if (idle !== undefined && environment === undefined)
    throw new UsageError(
      `--${idle} has no effect: no environment is chosen`,
      'people approve for one environment: --env NAME',
    );
  const named = ['requester', 'author'].find((flag) => args.has(flag));
  if (named !== undefined && environment?.approvals === undefined)
    throw new UsageError(
      `--${named} has no effect: environment ${JSON.stringify(environment?.name)} asks for no approvals`,
      'leave it out, or give the environment approvals',
    );
  if (environment === undefined) return false;
  return args.has('approvals') || project?.statements !== undefined || environment.approvals !== undefined;
}
