// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { readTrust, type Trust, verifyRecord } from '../../attest/index.ts';
import { EngineError } from '../../engine/index.ts';
import { readDocuments } from '../../engine/manifest/index.ts';
import { listSet } from '../../engine/record/set.ts';
import { DECISION_PREDICATE_TYPE } from '../../engine/record/statement.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../args.ts';
import { codeOf } from '../cause.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { readManifests, readSource } from '../files.ts';
import { findInstallation } from '../installation.ts';
import type { Io } from '../io.ts';
import { visible } from '../report/text.ts';

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
    env: { value: 'NAME', help: 'the environment that the record must be for' },
    format: { value: 'text|json', help: 'how to print the result' },
  },
  run,
};

interface Check {
  readonly name: string;
  readonly holds: boolean;
  readonly detail: string;
}

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
  const checks = await verify(file, readTrust(readJson(trustFile)), args, io);
  const holds = checks.every((check) => check.holds);
  io.out(
    format === 'json'
      ? `${JSON.stringify({ record: file, verified: holds, checks }, null, 2)}\n`
      : textOf(file, checks, holds),
  );
  return holds ? 0 : 1;
}

async function verify(file: string, trust: Trust, args: Args, io: Io): Promise<readonly Check[]> {
  const environment = args.text('env');
  const result = verifyRecord(readSource(file).bytes, trust, {
    use: 'record',
    predicateType: DECISION_PREDICATE_TYPE,
    at: io.now(),
    ...(environment === undefined ? {} : { environment }),
  });
  if (!result.ok)
    return [{ name: 'signature and ledger', holds: false, detail: `${result.reason} [${result.code}]` }];
  const { value } = result;
  const said = predicateOf(value.statement);
  return [
    { name: 'signature', holds: true, detail: `signed by key ${JSON.stringify(value.keyName)}` },
    { name: 'ledger', holds: true, detail: `entry ${value.logIndex} of a trusted log` },
    {
      name: 'decision',
      holds: said.verdict === 'allow',
      detail: `the verdict is ${said.verdict}, at ${said.time}`,
    },
    ...(environment === undefined
      ? []
      : [
          {
            name: 'environment',
            holds: said.environment === environment,
            detail: `the record is for ${said.environment ?? 'no environment'}`,
          },
        ]),
    ...(args.has('manifests') ? [await manifestCheck(args, io, value.subjects)] : []),
  ];
}

async function manifestCheck(
  args: Args,
  io: Io,
  subjects: readonly { readonly digest: Readonly<Record<string, string>> }[],
): Promise<Check> {
  const sources = await readManifests(args.list('manifests'), io);
  const set = listSet(readDocuments(sources, openYamlReader(findInstallation().toolchain)), false);
  const holds = subjects.length === 1 && subjects[0]?.digest['sha256'] === set.digest;
  return {
    name: 'manifests',
    holds,
    detail: `${set.entries.length} objects, set digest sha256:${set.digest}${holds ? '' : ' is not what the record is about'}`,
  };
}

interface Said {
  readonly verdict: string;
  readonly time: string;
  readonly environment: string | undefined;
}

const field = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;

/** What a verified statement says; anything but the plain word `allow` is not an allow. */
function predicateOf(statement: Uint8Array): Said {
  const predicate = field(JSON.parse(Buffer.from(statement).toString('utf8')), 'predicate');
  const environment = field(field(predicate, 'scope'), 'environment');
  return {
    verdict: String(field(predicate, 'verdict')),
    time: String(field(predicate, 'time')),
    environment: typeof environment === 'string' ? environment : undefined,
  };
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const code = codeOf(cause);
    throw new EngineError('INPUT_UNREADABLE', `cannot read ${JSON.stringify(file)}: ${code}`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError('INPUT_SYNTAX', `${JSON.stringify(file)} is not JSON`, { cause });
  }
}

function textOf(file: string, checks: readonly Check[], holds: boolean): string {
  const lines = checks.map(
    (check) => `${check.holds ? 'ok' : 'no'}  ${check.name}: ${visible(check.detail)}`,
  );
  return `${[...lines, `${visible(file)}: ${holds ? 'verified, allowed' : 'not verified as an allow'}`].join('\n')}\n`;
}
