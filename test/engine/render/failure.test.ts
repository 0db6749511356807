// SPDX-License-Identifier: Apache-2.0
// Where what Helm and Kustomize say is placed.
import { describe, expect, it } from '@jest/globals';
import { kustomizeFailure } from '../../../engine/render/failure.ts';

const file = {
  name: 'shop/kustomization.yaml',
  text: 'resources:\n- a.yaml\n- base\nnamePrefixes: x-\n',
};
const failureOf = (message: string, of: typeof file | undefined = file) => {
  const { code, location, hint, problems } = kustomizeFailure(
    { path: 'shop', file: of },
    message,
    (named) => `shop/${named}`,
  );
  return { code, location, hint, problems };
};

describe('a failure of Kustomize', () => {
  it.each([
    [
      'an unknown field, at the field',
      'invalid Kustomization: json: unknown field "namePrefixes"',
      { file: file.name, line: 4, column: 1 },
    ],
    [
      'a resource that cannot be used, at its line',
      "accumulating resources: accumulation err='accumulating resources from 'base': unable to find it'",
      { file: file.name, line: 3, column: 3 },
    ],
    [
      'a resource that is no YAML, in itself',
      "accumulating resources: accumulating resources from 'a.yaml': MalformedYAMLError: yaml: line 3: did not find expected node content in File: a.yaml",
      { file: 'shop/a.yaml', line: 3, column: 1 },
    ],
    [
      'anything else, at the file',
      'replace operation does not apply: doc is missing path: /nope/x: missing value',
      { file: file.name, line: 1, column: 1 },
    ],
  ])('is %s', (_, message, location) => {
    expect(failureOf(message)).toEqual({ code: 'RENDER_FAILED', location, hint: undefined, problems: [] });
  });

  it('is at the folder where there is no file', () => {
    expect(failureOf('no such file', { ...file, name: 'x' }).location).toEqual({
      file: 'x',
      line: 1,
      column: 1,
    });
    expect(kustomizeFailure({ path: 'shop', file: undefined }, 'nothing', (named) => named).location).toEqual(
      { file: 'shop', line: 1, column: 1 },
    );
  });

  it('keeps its hint, and is one sentence', () => {
    const message = 'cannot fetch https://x.example/base\n  because of "b.yaml"\n';
    const said = failureOf(message);
    expect(said).toEqual({
      code: 'RENDER_REMOTE',
      location: { file: file.name, line: 1, column: 1 },
      hint: 'nothing is fetched here: copy what it names into a folder of the repository and name that',
      problems: [],
    });
    const { message: told } = kustomizeFailure({ path: 'shop', file }, message, (named) => named);
    expect(told).toBe('cannot fetch https://x.example/base because of "b.yaml"');
  });
});
