// SPDX-License-Identifier: Apache-2.0
// The samples as rules see them: what readClaim makes of a signed statement is what data.countersign.lib.claims asks.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readClaim } from '../../../engine/claims/index.ts';
import { readDocuments } from '../../../engine/manifest/index.ts';
import { compilePolicy, loadPolicy, type Policy, readLibraries } from '../../../engine/policy/index.ts';
import { nativeInput } from '../../../engine/policy/input.ts';
import { openRegoToolchain } from '../../../engine/toolchain/index.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';

const STATEMENT = `sha256:${'f'.repeat(64)}`;
const DIGEST = 'sha256:5d5b09f6dcb2d53a5fffc60c4ac0d55fabdf556069d6631545f42aa6e3500f2e';
const IDENTITY = 'https://gitlab.com/shop/web//.gitlab-ci.yml@refs/heads/main';
const SIGNER = { kind: 'keyless', name: 'ci', issuer: 'https://gitlab.com', identity: IDENTITY } as const;
const NOW = new Date('2026-11-24T12:00:00Z');

/** Says the name of every helper that holds. */
const RULE = `# METADATA
# scope: package
# title: "What holds"
# description: "Says the name of every helper that holds."
# custom:
#   severity: low
#   controls: []
#   remedy: "none"
package countersign.rules.sample.holds

import data.countersign.lib.claims
import rego.v1

_digest := claims.digest(input.images[0])

_ci := [{"issuer": "https://gitlab.com", "identity": "${IDENTITY}"}]

_sources := ["https://github.com/shop/web", "https://gitlab.com/shop/web"]

_builders := [
	"https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/tags/v2.1.0",
	"https://github.com/shop/web/.github/workflows/release.yml@refs/heads/main",
	"https://gitlab.com/shop/web/-/runners/12270831",
]

_refs := ["refs/heads/main", "refs/tags/v*"]

_verifiers := ["https://verify.shop.example/v1"]

deny contains "built" if claims.built(_digest, {"signers": _ci, "builders": _builders, "sources": _sources, "refs": _refs})

deny contains "source" if claims.from_source(_digest, _ci, _sources)

deny contains "ref" if claims.on_protected_ref(_digest, _ci, _refs)

deny contains "level 3" if claims.at_build_level(_digest, _ci, _verifiers, 3)

deny contains "level 2" if claims.at_build_level(_digest, _ci, _verifiers, 2)

deny contains "reviewed" if claims.has_property(_digest, _ci, _verifiers, "SHOP_REVIEWED")

deny contains "scanned" if claims.scanned_within(_digest, _ci, 2)

deny contains "no critical older than 60 days" if claims.no_critical_older_than(_digest, _ci, 60, 2)

deny contains "no critical older than 30 days" if claims.no_critical_older_than(_digest, _ci, 30, 2)

deny contains "no high" if claims.no_vulnerability(_digest, _ci, {"severities": ["high"], "days": 0, "scanDays": 2})

deny contains "sbom" if claims.has_sbom(_digest, [{"name": "ci"}])

deny contains "tests" if claims.tests_passed(_digest, _ci)

deny contains "stranger" if {
	some kind in ["provenance", "verification", "sbom", "vulnerabilities", "test-result"]
	count(claims.signed(_digest, kind, [{"issuer": "https://gitlab.com", "identity": "https://gitlab.com/shop/other"}])) > 0
}
`;

const toolchain = openRegoToolchain({ directory: resolve('engine/toolchain/built'), deadlineMs: 60_000 });
afterAll(() => toolchain.close());
const reader = openYamlReader(resolve('engine/toolchain/built'));
const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: web}\nspec: {containers: [{name: web, image: "r.example/web@${DIGEST}"}]}\n`;
const [document] = readDocuments([{ name: 'pod.yaml', bytes: Buffer.from(pod) }], reader);

let policy: Policy;
beforeAll(async () => {
  const own = [{ file: 'holds.rego', text: RULE }];
  const sources = [...own, ...readLibraries(resolve('policies'), own)];
  const compiled = await compilePolicy(
    { name: 'holds', sources, namespaces: { names: [], all: false } },
    toolchain,
  );
  policy = loadPolicy(compiled, { name: 'holds', revision: '', parameters: {}, data: {} });
}, 60_000);

/** What holds where these samples were signed for the image. */
function held(...names: string[]): unknown {
  const texts = names.map((name) => {
    const statement = readFileSync(resolve(`test/engine/claims/samples/${name}.json`));
    const verdict = readClaim(statement, {
      subject: DIGEST,
      digest: STATEMENT,
      signer: SIGNER,
      at: '2026-11-23T12:00:00.000Z',
    });
    if (!verdict.ok) throw new Error(verdict.reason);
    return verdict.claim.text;
  });
  if (document === undefined) throw new Error('there is no object');
  const context = `{"time":"${NOW.toISOString()}"}`;
  const claims = new Map([[DIGEST, texts]]);
  const input = nativeInput(document, { phase: 'check', operation: 'CREATE', context, claims });
  const { results, failures } = policy.evaluate('native', input, { time: NOW, isStrict: true });
  expect(failures).toEqual([]);
  return results.flatMap(({ value }) => value);
}

describe('the library, asked about samples', () => {
  it.each([
    [['provenance-v0.2-github-generator'], ['built', 'ref', 'source']],
    [['provenance-v1-github'], ['built', 'ref', 'source']],
    [['provenance-v1-gitlab'], ['built', 'ref', 'source']],
    [['provenance-v0.2-buildkit'], ['ref', 'source']],
    // Of another host, and the signer's certificate is about another repository than it names.
    [['provenance-v1-gitlab-runner'], []],
    [['provenance-v1-buildkit-local'], []],
    // A builder of one and the source of another are not one build.
    [
      ['provenance-v0.2-buildkit', 'provenance-v1-buildkit-local'],
      ['ref', 'source'],
    ],
    [['vsa-v1'], ['level 2', 'level 3', 'reviewed']],
    [['vsa-v1-failed'], []],
    [['svr-v0.2'], ['level 2', 'reviewed']],
    [['spdx'], ['sbom']],
    [['cyclonedx'], ['sbom']],
    [['vuln-cosign-trivy'], ['no critical older than 60 days', 'no high', 'scanned']],
    // Grype says no date, so its critical one is old.
    [['vuln-cosign-grype'], ['no high', 'scanned']],
    [['vuln-cosign-sarif'], ['scanned']],
    [['vuln-cosign-trivy', 'vuln-cosign-sarif'], ['scanned']],
    [['test-result'], []],
    [['release', 'scai', 'approval', 'deployment-decision', 'generic-text', 'unknown'], []],
    [[], []],
  ])('%j: %j', (names, expected) => {
    expect(held(...names)).toEqual(expected);
  });
});
