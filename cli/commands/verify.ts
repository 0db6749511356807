// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { AttestError, parseTrust, readTrust, type Trust } from '../../attest/index.ts';
import { type Project, readProject } from '../../engine/context/project.ts';
import { readDocuments } from '../../engine/manifest/index.ts';
import { inNamespace, scopesOf } from '../../engine/record/listable.ts';
import type { DecisionPredicate } from '../../engine/record/predicate.ts';
import { listSet } from '../../engine/record/set.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../args.ts';
import { codeOf } from '../cause.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { readManifests, readSource } from '../files.ts';
import { findInstallation } from '../installation.ts';
import type { Io } from '../io.ts';
import { type OnProgress, withProgress } from '../report/progress.ts';
import { visible } from '../report/text.ts';
import { believedSince, TRUSTED_ROOT_HELP } from './checkpoints/timestamps.ts';
import { type Check, proveRecord, type Wanted } from './decided.ts';

export const verifyRecordVerb: Verb = {
  name: 'verify record',
  summary: 'Verifies a record offline: who signed it, that the ledger holds it, and what it decided.',
  positionals: 'RECORD',
  details:
    'Exit code: 0 the record holds and says allow; 1 it does not hold, or it says deny; 3 and above: no answer.',
  flags: {
    trust: {
      value: 'FILE',
      help: 'the keys and logs that you trust (trust.json of a state folder); default those of --project',
    },
    manifests: {
      value: 'PATH',
      multiple: true,
      help: 'manifests that the record must be about, object by object',
    },
    namespace: {
      value: 'NAME',
      help: 'the namespace that the record must be for, and that of objects in --manifests that name none',
    },
    env: { value: 'NAME', help: 'the environment that the record must be for' },
    cluster: { value: 'NAME', help: 'the cluster that the record must be for, where it is limited to some' },
    at: {
      value: 'TIME',
      help: 'when the set is, or was, first applied (2026-11-24T12:00:00Z; default now): key, log and record must be valid then',
    },
    project: { value: 'FILE', help: 'the Project that it must have been decided under' },
    timestamped: {
      value: 'FILE',
      needs: ['trusted-root'],
      help: 'a checkpoint of the log with its timestamp: what it covers was signed by then, before a key ended',
    },
    'trusted-root': { value: 'FILE', needs: ['timestamped'], help: TRUSTED_ROOT_HELP },
    'policy-digest': {
      value: 'SHA256',
      multiple: true,
      help: 'digest of a policy that must be among those evaluated (this verb prints them)',
    },
    format: { value: 'text|json', help: 'how to print the result' },
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [file, more] = args.positionals;
  if (file === undefined || more !== undefined)
    throw new UsageError('one record is wanted', 'countersign verify record RECORD --trust FILE');
  const format = args.text('format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are text, json');
  const projectFile = args.text('project');
  const project =
    projectFile === undefined
      ? undefined
      : readProject(readSource(projectFile), openYamlReader(findInstallation().toolchain));
  const trust = trustOf(args.text('trust'), project);
  const wanted = wantedBy(args, io, project);
  const { checks, decided } = await withProgress(io, 'verifying', (onProgress) =>
    verify({ file, trust, wanted, args, io, ...(onProgress === undefined ? {} : { onProgress }) }),
  );
  const holds = checks.every((check) => check.holds);
  const result = { record: file, verified: holds, checks, ...(decided === undefined ? {} : { decided }) };
  const conclusion = conclusionOf(checks, decided);
  io.out(format === 'json' ? `${JSON.stringify(result, null, 2)}\n` : textOf(file, checks, conclusion));
  return holds ? 0 : 1;
}

/** Whom to believe: `--trust`, else the Project, which says which key counts for which environment. */
export function trustOf(file: string | undefined, project: Project | undefined): Trust {
  if (file !== undefined) return readTrustFile(file);
  if (project?.trust !== undefined)
    return readTrust({
      apiVersion: 'countersign.dev/v1alpha1',
      kind: 'Trust',
      keys: project.trust.keys ?? [],
      logs: project.trust.logs ?? [],
    });
  throw new UsageError('--trust is missing', 'name the keys and logs you trust: --trust trust.json');
}

interface Verification {
  readonly checks: readonly Check[];
  /** What the record says, where it proves that it says it. */
  readonly decided?: DecisionPredicate;
}

/** What is verified, by what, and who is told how far it is. */
interface Question {
  readonly file: string;
  readonly trust: Trust;
  readonly wanted: Wanted;
  readonly args: Args;
  readonly io: Io;
  readonly onProgress?: OnProgress;
}

async function verify(question: Question): Promise<Verification> {
  const { file, args, wanted, io } = question;
  const { trust, checks: times } = believedSince(question.trust, { args, io });
  const { checks: found, proved } = proveRecord(readSource(file).bytes, trust, wanted);
  const checks = [...times, ...found];
  if (proved === undefined) return { checks };
  const { verified, decided } = proved;
  const manifests = args.has('manifests') ? [await manifestCheck(question, verified.subjects)] : [];
  return { checks: [...checks, ...manifests], decided };
}

function wantedBy(args: Args, io: Io, project: Project | undefined): Wanted {
  const environment = args.text('env');
  const cluster = args.text('cluster');
  const namespace = args.text('namespace');
  const digests = args.list('policy-digest').map((given) => {
    const digest = /^(?:sha256:)?([0-9a-f]{64})$/.exec(given)?.[1];
    if (digest !== undefined) return digest;
    throw new UsageError(
      `--policy-digest ${JSON.stringify(given)} is no SHA-256`,
      'give 64 digits of lower-case hex, as this verb prints them',
    );
  });
  return {
    at: timeOf(args.text('at')) ?? io.now(),
    policyDigests: digests,
    ...(environment === undefined ? {} : { environment }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(project === undefined ? {} : { projectDigest: project.digest }),
  };
}

/** A time as RFC 3339 has it, in UTC. @throws {UsageError} */
function timeOf(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(text) ? new Date(text) : undefined;
  // Node takes the thirtieth of February for a day in March.
  if (
    time !== undefined &&
    Number.isFinite(time.getTime()) &&
    time.toISOString().slice(0, 19) === text.slice(0, 19)
  )
    return time;
  throw new UsageError(`--at ${JSON.stringify(text)} is no time`, 'such as 2026-11-24T12:00:00Z, in UTC');
}

/** First the files are counted, then the objects. */
async function manifestCheck(
  { args, io, onProgress }: Question,
  subjects: readonly { readonly digest: Readonly<Record<string, string>> }[],
): Promise<Check> {
  const sources = await readManifests(args.list('manifests'), io);
  const reader = openYamlReader(findInstallation().toolchain);
  const read = readDocuments(sources, reader, onProgress);
  const namespace = args.text('namespace');
  const project = args.text('project');
  const stated = project === undefined ? undefined : readProject(readSource(project), reader).customKinds;
  const documents = namespace === undefined ? read : inNamespace(read, namespace, scopesOf(read, { stated }));
  const set = listSet(documents, false, onProgress);
  const holds = subjects.length === 1 && subjects[0]?.digest['sha256'] === set.digest;
  return {
    name: 'manifests',
    holds,
    detail: `${set.entries.length} objects, set digest sha256:${set.digest}${holds ? '' : ' is not what the record is about'}`,
  };
}

/** @throws {AttestError} TRUST_UNREADABLE | TRUST_SHAPE */
function readTrustFile(file: string): Trust {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new AttestError('TRUST_UNREADABLE', `cannot read ${JSON.stringify(file)}: ${codeOf(cause)}`, {
      hint: 'name the trust file: trust.json of the state folder that made the record, or your own',
      cause,
    });
  }
  return parseTrust(bytes);
}

/** A deny whose proof holds is said to be one: "verified" alone would be read as a yes. */
function conclusionOf(checks: readonly Check[], decided: DecisionPredicate | undefined): string {
  const failed = checks.filter(({ holds }) => !holds).map(({ name }) => name);
  if (failed.length === 0) return 'verified, allowed';
  if (decided !== undefined && failed.join() === 'decision')
    return `the record holds, and it says ${decided.verdict}: not an allow`;
  return 'not verified as an allow';
}

function textOf(file: string, checks: readonly Check[], conclusion: string): string {
  const lines = checks.map(
    (check) => `${check.holds ? 'ok' : 'no'}  ${check.name}: ${visible(check.detail)}`,
  );
  return `${[...lines, `${visible(file)}: ${conclusion}`].join('\n')}\n`;
}
