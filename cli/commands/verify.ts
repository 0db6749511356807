// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { AttestError, parseTrust, type Trust, verifyRecord } from '../../attest/index.ts';
import { readProject } from '../../engine/context/project.ts';
import { readDocuments } from '../../engine/manifest/index.ts';
import { inNamespace, scopesOf } from '../../engine/record/listable.ts';
import { listSet } from '../../engine/record/set.ts';
import { DECISION_PREDICATE_TYPE } from '../../engine/record/statement.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../args.ts';
import { codeOf } from '../cause.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { readManifests, readSource } from '../files.ts';
import { findInstallation } from '../installation.ts';
import type { Io } from '../io.ts';
import { type OnProgress, withProgress } from '../report/progress.ts';
import { visible } from '../report/text.ts';
import { type Check, type Decided, decidedChecks, readDecided, type Wanted } from './decided.ts';

export const verifyRecordVerb: Verb = {
  name: 'verify record',
  summary: 'Verifies a record offline: who signed it, that the ledger holds it, and what it decided.',
  positionals: 'RECORD',
  details:
    'Exit code: 0 the record holds and says allow; 1 it does not hold, or it says deny; 3 and above: no answer.',
  flags: {
    trust: { value: 'FILE', help: 'the keys and logs that you trust (trust.json of a state folder)' },
    manifests: {
      value: 'PATH',
      multiple: true,
      help: 'manifests that the record must be about, object by object',
    },
    namespace: { value: 'NAME', help: 'namespace that check was given for objects that name none' },
    env: { value: 'NAME', help: 'the environment that the record must be for' },
    project: { value: 'FILE', help: 'the Project that it must have been decided under' },
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
  const trustFile = args.text('trust');
  if (trustFile === undefined)
    throw new UsageError('--trust is missing', 'name the keys and logs you trust: --trust trust.json');
  const format = args.text('format') ?? 'text';
  if (format !== 'text' && format !== 'json')
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are text, json');
  const trust = readTrustFile(trustFile);
  const { checks, decided } = await withProgress(io, 'verifying', (onProgress) =>
    verify({ file, trust, args, io, ...(onProgress === undefined ? {} : { onProgress }) }),
  );
  const holds = checks.every((check) => check.holds);
  const result = { record: file, verified: holds, checks, ...(decided === undefined ? {} : { decided }) };
  io.out(format === 'json' ? `${JSON.stringify(result, null, 2)}\n` : textOf(file, checks, holds));
  return holds ? 0 : 1;
}

interface Verification {
  readonly checks: readonly Check[];
  /** What the record says, where it proves that it says it. */
  readonly decided?: Decided;
}

/** What is verified, by what, and who is told how far it is. */
interface Question {
  readonly file: string;
  readonly trust: Trust;
  readonly args: Args;
  readonly io: Io;
  readonly onProgress?: OnProgress;
}

async function verify(question: Question): Promise<Verification> {
  const { file, trust, args, io } = question;
  const wanted = wantedBy(args);
  const { environment } = wanted;
  const result = verifyRecord(readSource(file).bytes, trust, {
    use: 'record',
    predicateType: DECISION_PREDICATE_TYPE,
    at: io.now(),
    ...(environment === undefined ? {} : { environment }),
  });
  if (!result.ok) {
    const detail = `${result.reason} [${result.code}]`;
    return { checks: [{ name: 'signature and ledger', holds: false, detail }] };
  }
  const { value } = result;
  const decided = readDecided(value.statement);
  const checks = [
    { name: 'signature', holds: true, detail: `signed by key ${JSON.stringify(value.keyName)}` },
    { name: 'ledger', holds: true, detail: `entry ${value.logIndex} of a trusted log` },
    ...decidedChecks(decided, value, wanted),
    ...(args.has('manifests') ? [await manifestCheck(question, value.subjects)] : []),
  ];
  return { checks, decided };
}

function wantedBy(args: Args): Wanted {
  const environment = args.text('env');
  const project = args.text('project');
  const digests = args.list('policy-digest').map((given) => {
    const digest = /^(?:sha256:)?([0-9a-f]{64})$/.exec(given)?.[1];
    if (digest !== undefined) return digest;
    throw new UsageError(
      `--policy-digest ${JSON.stringify(given)} is no SHA-256`,
      'give 64 digits of lower-case hex, as this verb prints them',
    );
  });
  return {
    policyDigests: digests,
    ...(environment === undefined ? {} : { environment }),
    ...(project === undefined
      ? {}
      : {
          projectDigest: readProject(readSource(project), openYamlReader(findInstallation().toolchain))
            .digest,
        }),
  };
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

function textOf(file: string, checks: readonly Check[], holds: boolean): string {
  const lines = checks.map(
    (check) => `${check.holds ? 'ok' : 'no'}  ${check.name}: ${visible(check.detail)}`,
  );
  return `${[...lines, `${visible(file)}: ${holds ? 'verified, allowed' : 'not verified as an allow'}`].join('\n')}\n`;
}
