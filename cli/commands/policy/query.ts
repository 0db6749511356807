// SPDX-License-Identifier: Apache-2.0
import { EngineError, type Source } from '../../../engine/index.ts';
import { readDocuments } from '../../../engine/manifest/index.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import type { Args, Flag } from '../../args.ts';
import { BUNDLE_FLAGS, REGISTRY_FLAGS } from '../../bundles/flags.ts';
import type { PolicySources } from '../../bundles/sources.ts';
import { UsageError } from '../../exit.ts';
import { readSource, refuseHalves } from '../../files.ts';
import type { Installation } from '../../installation.ts';
import type { Io } from '../../io.ts';
import { refuseIdleBundleFlags } from '../../loading/idle.ts';
import { type Asked, dataOf, readPolicies, settingsOf } from './workbench.ts';

/** What a query sees; `--data` takes Rego files too, as `opa eval` does. */
export const QUERY_FLAGS: Readonly<Record<string, Flag>> = {
  policy: { value: 'PATH', multiple: true, help: 'folder, file or bundle of Rego policies' },
  data: {
    short: 'd',
    value: 'FILE',
    multiple: true,
    help: 'JSON or YAML whose keys become the document under data; .rego is a policy',
  },
  ...BUNDLE_FLAGS,
  ...REGISTRY_FLAGS,
};

/** The query that was asked: one positional, or `--entrypoint a/b/c`. @throws {UsageError} */
export function queryOf(args: Args): string {
  const [query, second] = args.positionals;
  const entrypoint = args.text('entrypoint');
  if (second !== undefined)
    throw new UsageError('more than one query is given', 'quote a query that has spaces');
  if (entrypoint !== undefined && query !== undefined)
    throw new UsageError('a query and --entrypoint exclude each other', 'give one of them');
  if (query !== undefined) return query;
  if (entrypoint === undefined)
    throw new UsageError('no query is given', 'such as data.main.deny, or --entrypoint main/deny');
  return `data${entrypoint
    .split('/')
    .filter((part) => part !== '')
    .map((part) => `[${JSON.stringify(part)}]`)
    .join('')}`;
}

/** The Rego files and the data that a query sees. @throws {EngineError} as readPolicies */
export async function worldOf(asked: Asked): Promise<PolicySources> {
  const isRego = (file: string): boolean => file.endsWith('.rego');
  const data = asked.args.list('data');
  const policies = [...asked.args.list('policy'), ...data.filter(isRego)];
  const files = data.filter((file) => !isRego(file));
  refuseIdleBundleFlags(asked.args, policies, { settings: () => settingsOf(asked), speaks: false });
  if (policies.length > 0) return readPolicies(policies, asked, files);
  return { sources: [], data: dataOf(files, asked.bench) };
}

/**
 * The JSON text of `--input FILE|-`, exact; undefined where there is none.
 * @throws {EngineError} INPUT_UNREADABLE | INPUT_SYNTAX and what else no document is
 */
export async function inputOf(args: Args, io: Io, installation: Installation): Promise<string | undefined> {
  const path = args.text('input');
  if (path === undefined) return undefined;
  const source = path === '-' ? { name: '-', bytes: await io.stdin() } : readSource(path);
  const json = jsonOf(source);
  if (json !== undefined) return json;
  const [document, second] = readDocuments([source], openYamlReader(installation.toolchain));
  if (document === undefined || second !== undefined)
    throw new EngineError('INPUT_SHAPE', `${JSON.stringify(path)} is more than one document`, {
      hint: 'an input is one value',
    });
  return Buffer.from(document.json).toString();
}

/** JSON goes in as it is written: another reader might make several documents of a List. */
function jsonOf({ name, bytes }: Source): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    JSON.parse(text);
    refuseHalves({ name, bytes });
    return text;
  } catch (error) {
    if (error instanceof EngineError) throw error;
    return undefined; // YAML, or nothing that can be read: its reader says what is wrong
  }
}
