// SPDX-License-Identifier: Apache-2.0
import { setTimeout as wait } from 'node:timers/promises';
import { AttestError } from '../../../attest/error.ts';
import {
  type AskedRequest,
  type ForgeClient,
  type ForgeReading,
  openForge,
  readDeployment,
  readDeploymentReviews,
  readMergeRequest,
  readPullRequest,
} from '../../../attest/forge/index.ts';
import type { ApprovalRule, Forge, ForgeVia, ImportRule } from '../../../engine/context/people.ts';
import type { Args, Flags } from '../../args.ts';
import { UsageError } from '../../exit.ts';
import { readSource } from '../../files.ts';
import type { Io } from '../../io.ts';
import type { Desk } from '../people/signing.ts';

const WAYS = ['merge-request', 'pull-request', 'deployment', 'run'] as const satisfies readonly ForgeVia[];
const others = (own: ForgeVia): readonly ForgeVia[] => WAYS.slice(WAYS.indexOf(own) + 1);

/** Which change is meant, and how the forge is asked. */
export const ASKING_FLAGS: Flags = {
  'merge-request': {
    value: 'NUMBER',
    excludes: others('merge-request'),
    help: 'of GitLab: approvals of its head',
  },
  'pull-request': {
    value: 'NUMBER',
    excludes: others('pull-request'),
    help: 'of GitHub: reviews of its head',
  },
  deployment: { value: 'ID', excludes: others('deployment'), help: 'of GitLab: approvals of a deployment' },
  run: { value: 'ID', help: "of GitHub: reviews of a workflow run's deployments" },
  token: {
    value: 'VARIABLE|FILE',
    help: 'the token that may read it (default: nothing is sent); ./NAME is always a file',
  },
};

/** The change that is asked for, and the rule that its approvals may count for. */
export interface AskedChange {
  readonly via: ForgeVia;
  readonly number: string;
  readonly role: string;
  readonly rule: ImportRule;
  readonly forge: Forge;
}

/** Which change is meant, and for which rule. @throws {UsageError} */
export function changeAsked({ args, environment, found }: Desk): AskedChange {
  const via = WAYS.find((way) => args.has(way));
  if (via === undefined)
    throw new UsageError(
      'it is not said what to import',
      'one of --merge-request, --pull-request, --deployment and --run',
    );
  const number = args.text(via) ?? '';
  if (!/^[1-9]\d{0,15}$/.test(number))
    throw new UsageError(
      `--${via} ${JSON.stringify(number)} is no number`,
      'as the forge shows it, without ! or #',
    );
  const { role, imported: rule } = ruleFor(via, args, environment);
  const forge = found.project.forges?.find(({ name }) => name === rule.forge);
  // The Project was read with every rule's forge declared.
  if (forge === undefined)
    throw new UsageError(`no forge ${JSON.stringify(rule.forge)}`, 'declare it under forges');
  return { via, number, role, rule, forge };
}

function ruleFor(
  via: ForgeVia,
  args: Args,
  { name, approvals = [] }: Desk['environment'],
): { readonly role: string; readonly imported: ImportRule } {
  const wanted = args.text('role');
  const rules = approvals.flatMap(({ role, imported }: ApprovalRule) =>
    imported?.via.includes(via) === true && (wanted === undefined || role === wanted)
      ? [{ role, imported }]
      : [],
  );
  const [rule, more] = rules;
  if (rule === undefined)
    throw new UsageError(
      `no rule of environment ${JSON.stringify(name)} accepts an approval of a ${via}${wanted === undefined ? '' : ` in role ${JSON.stringify(wanted)}`}`,
      'imported of the rule in the Project says what it accepts; without it nothing but what people sign',
    );
  if (more !== undefined)
    throw new UsageError(
      `several rules of environment ${JSON.stringify(name)} accept it`,
      `--role ${rules.map(({ role }) => role).join(' or ')}`,
    );
  return rule;
}

/** What the forge says now. @throws {AttestError} FORGE_UNAVAILABLE | FORGE_REFUSED | TOKEN_UNREADABLE */
export function askForge(change: AskedChange, { args, environment, io }: Desk): Promise<ForgeReading> {
  const { forge, rule, number, via } = change;
  const token = args.text('token');
  const client = openForge({
    api: forge.api,
    kind: forge.kind,
    wait: (ms) => wait(ms),
    now: io.now,
    ...(token === undefined ? {} : { token: readForgeToken(token, io) }),
  });
  const { target } = rule;
  return READERS[via](client, rule.project, {
    number,
    environment: rule.environment ?? environment.name,
    ...(target === undefined ? {} : { target }),
  });
}

type Reader = (
  client: ForgeClient,
  project: string,
  asked: AskedRequest & { readonly environment: string },
) => Promise<ForgeReading>;

const READERS = {
  'merge-request': readMergeRequest,
  'pull-request': readPullRequest,
  deployment: (client, project, { number }) => readDeployment(client, project, number),
  run: (client, project, { number, environment }) =>
    readDeploymentReviews(client, project, { run: number, environment }),
} as const satisfies Record<ForgeVia, Reader>;

const MAX_TOKEN_BYTES = 4096;

/** A variable of that name, else a file. What stands there is in no message. @throws {AttestError} TOKEN_UNREADABLE */
function readForgeToken(name: string, io: Io): string {
  const variable = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? io.env[name] : undefined;
  const token = (variable ?? fileText(name)).replace(/\r?\n$/, '');
  // What is no token would be a header of its own, or an error that shows it.
  if (/^[!-~]+$/.test(token) && token.length <= MAX_TOKEN_BYTES) return token;
  throw new AttestError('TOKEN_UNREADABLE', `there is no token in ${JSON.stringify(name)}`, {
    hint: 'one line: a token that may read the API of the project',
  });
}

function fileText(name: string): string {
  try {
    return Buffer.from(readSource(name).bytes).toString('latin1');
  } catch (cause) {
    throw new AttestError(
      'TOKEN_UNREADABLE',
      `${JSON.stringify(name)} is no variable of the environment, and no file that can be read`,
      { cause, hint: 'name the variable without $, so that the token is in no list of processes' },
    );
  }
}
