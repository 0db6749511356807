// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { parseTrust, type Trust } from '../../attest/index.ts';
import type { Project } from '../../engine/context/project.ts';
import type { Decision } from '../../engine/index.ts';
import { readDocuments } from '../../engine/manifest/index.ts';
import { inNamespace, scopesOf } from '../../engine/record/listable.ts';
import { listSet, type ObjectSet, refuseDuplicates } from '../../engine/record/set.ts';
import { openYamlReader, type YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args } from '../args.ts';
import { trustOf } from '../commands/people/standing.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { readSource } from '../files.ts';
import { type Inputs, readInputs, refuseUnstable } from '../inputs/render.ts';
import { namespaceOf } from '../inputs/schema.ts';
import { readToken } from '../inputs/tokens.ts';
import { findInstallation, type Installation } from '../installation.ts';
import type { Io } from '../io.ts';
import { findProject } from '../loading/project.ts';
import { withProgress } from '../report/progress.ts';
import { type Target, writeReports } from '../report/report.ts';
import { oneLine } from '../report/text.ts';
import { isBundle, isListing, reserve } from '../seal.ts';
import { type Answer, readAnswer } from './answer.ts';
import { askServer, serverOf } from './ask.ts';

/** How the decision is told, as of any check. */
interface Telling {
  readonly targets: readonly Target[];
  readonly failOn: 'fail' | 'warn';
  readonly exitOf: (decision: Decision, failOn: 'fail' | 'warn') => ExitCode;
}

/**
 * Has a server check what the command line names.
 * @throws {UsageError} @throws {EngineError} INPUT_* | RENDER_* | PROJECT_*
 * @throws {AttestError} SERVER_* | TOKEN_UNREADABLE | TRUST_* | RECORD_UNWRITABLE
 */
export async function checkAt(args: Args, io: Io, { targets, failOn, exitOf }: Telling): Promise<ExitCode> {
  const environment = environmentAsked(args);
  const server = serverOf(args);
  const installation = findInstallation();
  const reader = openYamlReader(installation.toolchain);
  const found = findProject(args.text('project'), reader);
  const trust = trustFor(args, found?.project, environment);
  const reading = { installation, reader, project: found?.project, environment };
  const { inputs, set } = await readSet(args, io, reading);
  const request = requestOf(args, inputs, set);
  const token = tokenOf(args, io);
  const answer = await recorded(args, io, set, async () => {
    const since = io.now();
    const bytes = await withProgress(io, 'asking the server', () =>
      askServer(request, { ...server, environment, ...(token === undefined ? {} : { token }) }),
    );
    return readAnswer(bytes, {
      host: server.url.host,
      environment,
      set,
      since,
      until: io.now(),
      trust,
      ...tokenSent(token),
    });
  });
  if (trust === undefined)
    io.err("note: the record's signature was not verified: nobody is trusted for it (--trust FILE)\n");
  for (const note of answer.notes) io.err(`note: ${oneLine(note)}\n`);
  sayBroken(answer.decision, io);
  writeReports(answer.decision, targets, io, { version: installation.version, titles: answer.titles });
  const exit = exitOf(answer.decision, failOn);
  if (exit === 1 && answer.decision.verdict === 'allow')
    io.err('note: allowed with warnings; exit code 1, as --fail-on warn says\n');
  return exit;
}

interface Reading {
  readonly installation: Installation;
  readonly reader: YamlReader;
  /** Of the job: it renders the charts, and decides nothing. */
  readonly project: Project | undefined;
  readonly environment: string;
}

/** Reads and renders here, so that positions are those of the job; and lists what the server must have read, too. */
async function readSet(
  args: Args,
  io: Io,
  { installation, reader, project, environment }: Reading,
): Promise<{ readonly inputs: Inputs; readonly set: ObjectSet }> {
  const own = project?.environments.find(({ name }) => name === environment);
  const frame = { installation, reader, environment: own, namesObjects: true } as const;
  const inputs = await withProgress(io, 'reading', () => readInputs(args, io, frame));
  // A server signs whatever it decides: what is other objects each time is no set.
  await refuseUnstable(inputs);
  for (const warning of inputs.warnings) io.err(`warning: ${oneLine(warning)}\n`);
  const read = readDocuments(inputs.sources, reader);
  const namespace = namespaceOf(args);
  const documents =
    namespace === undefined
      ? read
      : inNamespace(read, namespace, scopesOf(read, { stated: project?.customKinds }));
  const set = listSet(documents, false);
  refuseDuplicates(set);
  return { inputs, set };
}

/** An unset scope is no scope; and a token holds once, so there is one environment. @throws {UsageError} */
function environmentAsked(args: Args): string {
  const name = args.text('env');
  if (name !== undefined && name !== 'all') return name;
  throw new UsageError(
    name === undefined ? '--server needs an environment' : '--server decides for one environment',
    '--env NAME, as the Project of the server has it',
  );
}

const tokenSent = (token: string | undefined): { readonly token?: string } =>
  token === undefined ? {} : { token: hash('sha256', token, 'hex') };

function tokenOf(args: Args, io: Io): string | undefined {
  const [name, second] = args.list('id-token');
  if (second !== undefined)
    throw new UsageError('--server takes one id token', 'give the one whose audience is the server');
  return name === undefined ? undefined : readToken(name, io);
}

/**
 * Whose record is believed: who is named by a file, else in the Project where it names a key for records of this environment, and a log.
 * @throws {AttestError} TRUST_SHAPE | TRUST_UNREADABLE @throws {EngineError} INPUT_UNREADABLE
 */
function trustFor(args: Args, project: Project | undefined, environment: string): Trust | undefined {
  const file = args.text('trust');
  if (file !== undefined) return parseTrust(readSource(file).bytes);
  if (project?.trust === undefined) return undefined;
  const trust = trustOf(project);
  const isNamed = trust.keys.some(
    ({ uses, environments }) =>
      uses.includes('record') && (environments.includes('*') || environments.includes(environment)),
  );
  return isNamed && trust.logs.length > 0 ? trust : undefined;
}

/** What is sent: bytes as they were read or rendered, under the names by which findings are placed. */
function requestOf(args: Args, { sources }: Inputs, { digest }: ObjectSet): object {
  const namespace = namespaceOf(args);
  const requester = args.text('requester');
  return {
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'CheckRequest',
    setDigest: digest,
    ...(namespace === undefined ? {} : { namespace }),
    ...(requester === undefined ? {} : { requester }),
    ...(args.has('author') ? { authors: args.list('author') } : {}),
    files: sources.map(({ name, bytes }) => ({ name, content: Buffer.from(bytes).toString('base64') })),
  };
}

/** Makes the files of the record first, where one is wanted: a record that could not be written is one that the job does not have. */
async function recorded(args: Args, io: Io, set: ObjectSet, ask: () => Promise<Answer>): Promise<Answer> {
  const file = args.text('record');
  if (file === undefined) return ask();
  const record = reserve(file, isBundle);
  try {
    const listing = reserve(`${file}.set.txt`, isListing);
    try {
      const answer = await ask();
      record.write(`${JSON.stringify(answer.record)}\n`);
      listing.write(set.listing);
      io.err(`note: recorded ${answer.decision.verdict} in ${file}\n`);
      return answer;
    } finally {
      listing.drop();
    }
  } finally {
    record.drop();
  }
}

/** A broken glass is never quiet. */
function sayBroken({ basis, findings }: Decision, io: Io): void {
  if (basis !== 'break-glass') return;
  const count = findings.filter(({ waiver, result }) => waiver !== undefined && result === 'warn').length;
  io.err(
    `warning: break-glass at the server: ${count} ${count === 1 ? 'denial goes' : 'denials go'} through\n`,
  );
}
