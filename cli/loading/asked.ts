// SPDX-License-Identifier: Apache-2.0
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args } from '../args.ts';
import { readSource } from '../files.ts';
import type { Request } from '../prepare.ts';
import { mergeMaps } from './maps.ts';
import { namespacesOf } from './namespaces.ts';
import { versionOf } from './version.ts';

type Asked = 'policies' | 'namespaces' | 'regoVersion' | 'parameters' | 'data' | 'strictErrors';

/** What the flags of `check` and `serve` say of policies. */
export function policiesAsked(args: Args, reader: YamlReader): Pick<Request, Asked> {
  const version = versionOf(args);
  return {
    policies: args.list('policy'),
    namespaces: namespacesOf(args),
    ...(version === undefined ? {} : { regoVersion: version }),
    parameters: mergeMaps(args.list('parameters').map(readSource), reader, 'parameters'),
    data: mergeMaps(args.list('data').map(readSource), reader, 'data'),
    strictErrors: args.has('strict-errors'),
  };
}
