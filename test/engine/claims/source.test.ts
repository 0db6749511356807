// SPDX-License-Identifier: Apache-2.0
// Where something was built from: what looks like the repository and is another must not read as it.
import { describe, expect, it } from '@jest/globals';
import {
  commitOf,
  readSourceUri,
  sourceOfDefinition,
  sourceOfInvocation,
} from '../../../engine/claims/source.ts';

const C = '4b220de5058abfd01ff619c9d2ff6b09a049bea0';
const D = 'ffffffffffffffffffffffffffffffffffffffff';
const WEB = 'https://github.com/shop/web';

describe('the URI of a source', () => {
  it.each([
    [WEB, { uri: WEB }],
    [`git+${WEB}`, { uri: WEB }],
    [`git+${WEB}.git`, { uri: WEB }],
    [`${WEB}/`, { uri: WEB }],
    [`git+${WEB}@refs/heads/main`, { uri: WEB, ref: 'refs/heads/main' }],
    [`git+${WEB}.git@refs/heads/main`, { uri: WEB, ref: 'refs/heads/main' }],
    [`${WEB}.git#refs/tags/v1`, { uri: WEB, ref: 'refs/tags/v1' }],
    [`${WEB}.git#refs/tags/v1:folder/x`, { uri: WEB, ref: 'refs/tags/v1' }],
    [`git+${WEB}@main`, { uri: WEB, ref: 'main' }],
    // A branch whose name is made to look like the end of a reference to main.
    [`git+${WEB}@refs/heads/x@refs/heads/main`, { uri: WEB, ref: 'refs/heads/x@refs/heads/main' }],
    ['git+ssh://git.shop.example/web', { uri: 'ssh://git.shop.example/web' }],
  ])('%s', (text, source) => {
    expect(readSourceUri(text)).toEqual(source);
  });

  it.each([
    ['nothing', undefined],
    ['empty', ''],
    ['no scheme', 'github.com/shop/web'],
    ['a host alone', 'https://github.com'],
    ['somebody before the host', 'https://github.com@evil.example/shop/web'],
    ['a query', `${WEB}?x=${WEB}`],
    ['a space', `${WEB} x`],
    ['a line end', `${WEB}\n`],
    ['a package', 'pkg:docker/alpine@3.22'],
    ['an empty ref', `${WEB}@`],
  ])('%s is none', (_, text) => {
    expect(readSourceUri(text)).toBeUndefined();
  });

  it.each([
    'https://github.com/shop/web2',
    'https://github.com.evil.example/shop/web',
    'https://github.com/shop/web/../evil',
    'https://evil.example/https://github.com/shop/web',
    'HTTPS://github.com/shop/web',
  ])('%s is another', (text) => {
    expect(readSourceUri(text)?.uri).not.toBe(WEB);
  });
});

describe('a commit', () => {
  it.each([
    [{ gitCommit: C, sha1: D }, C],
    [{ sha1: C }, C],
    [{ sha256: C }, C],
    [{ sha1: C.toUpperCase() }, C],
    [{ sha256: C + C.slice(0, 24) }, C + C.slice(0, 24)],
    [{ sha1: 'main' }, undefined],
    [{ sha1: C.slice(1) }, undefined],
    [{ other: C }, undefined],
    [undefined, undefined],
    [{}, undefined],
  ])('of %j', (digest, commit) => {
    expect(commitOf(digest)).toBe(commit);
  });
});

const GITHUB = 'https://actions.github.io/buildtypes/workflow/v1';
const GITLAB = 'https://docs.gitlab.com/ci/pipeline_security/slsa/provenance_v1';
const BUILDKIT = 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md';
const definition = (
  buildType: string,
  externalParameters: unknown,
  resolvedDependencies: unknown = [],
): object => ({
  buildType,
  externalParameters,
  resolvedDependencies,
});
const workflow = { repository: WEB, ref: 'refs/heads/main' };
const material = (uri: string, commit = C): object => ({ uri, digest: { gitCommit: commit } });

describe('the source of SLSA v1', () => {
  it('is where its build type has it', () => {
    const main = { uri: WEB, ref: 'refs/heads/main' };
    expect(sourceOfDefinition(definition(GITHUB, { workflow }))).toEqual(main);
    expect(sourceOfDefinition(definition(GITHUB, { workflow: { repository: WEB } }))).toEqual({ uri: WEB });
    expect(sourceOfDefinition(definition(GITLAB, { source: WEB }))).toEqual({ uri: WEB });
    expect(sourceOfDefinition(definition(`${GITLAB}/`, { source: WEB }))).toEqual({ uri: WEB });
    const configSource = { uri: `${WEB}.git#refs/heads/main`, digest: { sha1: C } };
    expect(sourceOfDefinition(definition(BUILDKIT, { configSource }))).toEqual({ ...main, commit: C });
    const delegated = 'https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0';
    const source = { uri: `git+${WEB}@refs/heads/main`, digest: { sha1: C } };
    expect(sourceOfDefinition(definition(delegated, { source }))).toEqual({ ...main, commit: C });
  });

  it.each([
    ['another type', 'https://shop.example/build', { workflow, source: WEB, configSource: { uri: WEB } }],
    ['a type that begins alike', `${GITHUB}/more`, { workflow }],
    ['a type of a host that ends alike', GITHUB.replace('https://', 'https://evil.'), { workflow }],
    ['the parameter of another type', GITHUB, { source: WEB, configSource: { uri: WEB } }],
    ['the parameter of another type (GitLab)', GITLAB, { workflow, configSource: { uri: WEB } }],
    ['variables of a job', GITLAB, { variables: { CI_PROJECT_URL: WEB } }],
    ['a workflow that is text', GITHUB, { workflow: WEB }],
    ['no parameters', GITHUB, undefined],
    ['a local folder', BUILDKIT, { configSource: { path: 'Dockerfile' } }],
  ])('is not there for %s', (_, buildType, parameters) => {
    expect(sourceOfDefinition(definition(buildType, parameters))).toBeUndefined();
  });

  it('has the commit that the materials name for this repository and ref, and only one', () => {
    const of = (...materials: object[]): unknown =>
      sourceOfDefinition(definition(GITHUB, { workflow }, materials));
    const main = { uri: WEB, ref: 'refs/heads/main' };
    expect(of(material(`git+${WEB}@refs/heads/main`))).toEqual({ ...main, commit: C });
    expect(of(material(`git+${WEB}`), material('git+https://github.com/evil/web', D))).toEqual({
      ...main,
      commit: C,
    });
    expect(of(material(`git+${WEB}@refs/heads/other`))).toEqual(main);
    expect(of(material(`git+${WEB}`), material(`git+${WEB}`, D))).toEqual(main);
    expect(of(material('git+https://github.com/shop/web2'), { digest: { sha1: C } }, { uri: WEB })).toEqual(
      main,
    );
  });
});

describe('the source of SLSA v0.2', () => {
  it('is what the build was configured from', () => {
    const uri = `git+${WEB}@refs/tags/v1`;
    const of = (configSource: unknown, materials: readonly object[] = []): unknown =>
      sourceOfInvocation({ invocation: { configSource }, materials });
    expect(of({ uri, digest: { sha1: C } })).toEqual({ uri: WEB, ref: 'refs/tags/v1', commit: C });
    expect(of({ uri }, [material(uri)])).toEqual({ uri: WEB, ref: 'refs/tags/v1', commit: C });
    expect(of({ uri }, [material(`git+${WEB}@refs/tags/v2`)])).toEqual({ uri: WEB, ref: 'refs/tags/v1' });
    expect(of({ entryPoint: 'x' })).toBeUndefined();
    expect(sourceOfInvocation({ materials: [material(uri)] })).toBeUndefined();
  });
});
