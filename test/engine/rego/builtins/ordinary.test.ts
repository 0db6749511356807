// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  type CompileRequest,
  compilePolicy,
  loadPolicy,
  readRegoSources,
  type Style,
  withoutTests,
} from '../../../../engine/policy/index.ts';
import type { BuiltinServer } from '../../../../engine/rego/index.ts';
import { openRegoToolchain } from '../../../../engine/toolchain/index.ts';
import { corpusObjects } from '../../../bench/corpus/write.ts';

const toolchain = openRegoToolchain({ directory: resolve('engine/toolchain/built'), deadlineMs: 60_000 });
afterAll(() => toolchain.close());

/** A server that says which of its functions were reached. */
function spy(): { readonly server: BuiltinServer; readonly reached: string[] } {
  const reached: string[] = [];
  const reach = (what: string): never => {
    reached.push(what);
    throw new Error(`${what} was reached`);
  };
  const server: BuiltinServer = {
    prepare: () => reach('prepare'),
    begin: () => reach('begin'),
    call: (name) => reach(name),
  };
  return { server, reached };
}

const inputOf = (style: Style, object: object): Uint8Array =>
  Buffer.from(JSON.stringify(style === 'native' ? { object, images: [], context: {} } : object));

const POLICIES: readonly (readonly [string, () => Pick<CompileRequest, 'sources'>])[] = [
  ['the rules of the benchmark', () => ({ sources: readRegoSources('test/bench/rules') })],
  [
    'the shipped rules',
    () => ({
      sources: withoutTests([
        ...readRegoSources(join('policies', 'rules')),
        ...readRegoSources(join('policies', 'lib')),
      ]),
    }),
  ],
];

describe('an ordinary policy', () => {
  it.each(POLICIES)('never starts the program of builtins: %s', async (name, read) => {
    const request = { name, ...read(), namespaces: { names: ['main'], all: false } };
    const compiled = await compilePolicy(request, toolchain);
    const { server, reached } = spy();
    const facts = { name, revision: '', parameters: {}, data: {}, builtins: server };
    const policy = loadPolicy(compiled, facts);
    let said = 0;
    for (const object of corpusObjects(60)) {
      for (const style of policy.styles) {
        const { results, failures } = policy.evaluate(style, inputOf(style, object), {
          time: new Date(0),
          isStrict: true,
        });
        expect(failures).toEqual([]);
        said += results.length;
      }
    }
    expect(said).toBeGreaterThan(0);
    expect(reached).toEqual([]);
  });
});
