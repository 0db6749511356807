// SPDX-License-Identifier: Apache-2.0
import type { Judgement } from '../change.ts';
import { type Finding, objectId } from '../decide/finding.ts';
import { EngineError } from '../error.ts';
import { evidenceOf } from '../evidence.ts';
import type { JsonValue } from '../manifest/index.ts';
import type { Kept } from '../replay/kept.ts';
import { KUBERNETES_MINOR } from '../schema/table.ts';
import { canonicalText } from './canonical.ts';
import { DECISION_PREDICATE_TYPE, refuseMalformed } from './predicate.ts';

export { DECISION_PREDICATE_TYPE } from './predicate.ts';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const MAX_BYTES = 256 * 1024;
/** How many findings of one rule, and statements of one type, are listed where all are too many: the first with which the record fits. */
const LISTED_OF_EACH = [300, 100, 30, 10, 3, 1, 0];

/** What the record says of the program that decided. */
export interface EngineIdentity {
  readonly version: string;
  readonly opa: string;
}

const encoder = new TextEncoder();

const sha256 = (digest: string): JsonValue => ({ sha256: digest });

/**
 * The in-toto Statement of a judgement as deterministic JSON bytes (RFC 8785): the same judgement gives the same bytes.
 * Parts that are not known are absent.
 * @param kept what is kept beside the record, which then names its digest
 * Over 256 KiB findings and evidence are counted instead of listed, by rule and by type: a denial has its record however much is wrong.
 * @throws {EngineError} RECORD_TOO_LARGE where even so it is larger: never a silent cut; RECORD_SHAPE for a fault of ours
 * @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function statementOf(judgement: Judgement, engine: EngineIdentity, kept?: Kept): Uint8Array {
  let predicate = predicateOf(judgement, { engine, kept }, Number.POSITIVE_INFINITY);
  let bytes = bytesOf(judgement, predicate);
  for (const most of LISTED_OF_EACH) {
    if (bytes.length <= MAX_BYTES) break;
    predicate = predicateOf(judgement, { engine, kept }, most);
    bytes = bytesOf(judgement, predicate);
  }
  if (bytes.length > MAX_BYTES)
    throw new EngineError(
      'RECORD_TOO_LARGE',
      `the record would be ${bytes.length} bytes, more than ${MAX_BYTES}`,
      { hint: 'check fewer objects in one run' },
    );
  refuseMalformed(predicate);
  return bytes;
}

interface Frame {
  readonly engine: EngineIdentity;
  readonly kept: Kept | undefined;
}

function predicateOf(judgement: Judgement, { engine, kept }: Frame, most: number): JsonValue {
  return {
    ...verdictPart(judgement),
    ...setPart(judgement),
    ...digestPart(judgement),
    ...requesterPart(judgement),
    ...approvalPart(judgement),
    ...keptPart(kept),
    engine: enginePart(engine),
    ...findingPart(judgement.decision.findings, most),
    ...evidenceOf(judgement.proved ?? {}, most),
  };
}

function bytesOf({ decision }: Judgement, predicate: JsonValue): Uint8Array {
  const statement: JsonValue = {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'set.txt', digest: { sha256: decision.setDigest } }],
    predicateType: DECISION_PREDICATE_TYPE,
    predicate,
  };
  // Bytes of their own: a slice of Node's pool takes the whole pool along to another thread.
  return encoder.encode(canonicalText(statement));
}

function keptPart(kept: Kept | undefined): Record<string, JsonValue> {
  if (kept === undefined) return {};
  const { digest, because } = kept;
  const why = because.length === 0 ? {} : { because: [...because] };
  return { inputs: { digest: sha256(digest), replayable: because.length === 0, ...why } };
}

const enginePart = (engine: EngineIdentity): JsonValue => ({
  id: 'https://countersign.dev/engine',
  version: engine.version,
  opa: engine.opa,
  kubernetes: `1.${KUBERNETES_MINOR}`,
});

function verdictPart({ decision, scope, startBy }: Judgement): Record<string, JsonValue> {
  return {
    id: decision.id,
    phase: decision.phase,
    verdict: decision.verdict,
    enforced: decision.enforced,
    basis: decision.basis ?? 'policy',
    time: decision.time,
    ...(startBy === undefined ? {} : { startBy }),
    scope: {
      ...(decision.environment === undefined ? {} : { environment: decision.environment }),
      ...(scope?.namespaces === undefined ? {} : { namespaces: [...scope.namespaces] }),
      operations: [...decision.operations],
    },
    evaluated: { objects: decision.evaluated.objects, rules: decision.evaluated.rules },
    passed: { ...decision.passed },
  };
}

function setPart({ decision, set, images }: Judgement): Record<string, JsonValue> {
  const objects = set.entries.flatMap(({ id, apiVersion, digest }) =>
    digest === undefined ? [] : [{ id, apiVersion, digest: { sha256: digest } }],
  );
  const deletes = set.entries.flatMap(({ id, digest }) => (digest === undefined ? [id] : []));
  return {
    set: { digest: { sha256: decision.setDigest }, objects, ...(deletes.length === 0 ? {} : { deletes }) },
    images: images().map(({ ref, digest }) => ({
      ref,
      ...(digest === undefined ? {} : { digest: digestMap(digest) }),
    })),
  };
}

/** `sha256:<hex>` as in-toto writes it. */
function digestMap(digest: string): JsonValue {
  const colon = digest.indexOf(':');
  return { [digest.slice(0, colon)]: digest.slice(colon + 1) };
}

function digestPart({ decision }: Judgement): Record<string, JsonValue> {
  return {
    inputDigest: sha256(decision.inputDigest),
    contextDigest: sha256(decision.contextDigest),
    ...(decision.projectDigest === undefined ? {} : { projectDigest: sha256(decision.projectDigest) }),
    ...(decision.trustDigest === undefined ? {} : { trustDigest: sha256(decision.trustDigest) }),
    policies: decision.policies.map(({ name, revision, digest, sources }) => ({
      name,
      revision,
      digest: sha256(digest),
      sources: sha256(sources),
    })),
  };
}

/** Who asked, by the word of a caller that may not have been the API server: `asserted` unless its connection proved it. */
function requesterPart({ requester }: Judgement): Record<string, JsonValue> {
  if (requester === undefined) return {};
  const { username, uid, subResource, isAuthenticated } = requester;
  const trust = isAuthenticated ? 'verified' : 'asserted';
  return {
    ...(username === undefined ? {} : { requester: { id: username, how: 'userInfo', trust } }),
    request: {
      uid,
      caller: isAuthenticated ? 'authenticated' : 'unauthenticated',
      ...(subResource === undefined ? {} : { subResource }),
    },
  };
}

/** Who asks for a checked set, and how its approvals were counted. */
function approvalPart({ asked, approvalRule }: Judgement): Record<string, JsonValue> {
  const requester = asked?.requester;
  return {
    ...(requester === undefined ? {} : { requester: { ...requester } }),
    ...(approvalRule === undefined
      ? {}
      : {
          approvalRule: {
            required: approvalRule.required.map((one) => ({ ...one })),
            got: approvalRule.got.map((one) => ({ ...one, digest: sha256(one.digest) })),
            excluded: approvalRule.excluded.map((one) => ({ ...one })),
          },
        }),
  };
}

/**
 * Findings without their messages: a message may quote the object, which does not belong in a record that outlives it. Of each rule
 * and result the first `most`; how many more there were is counted in `omittedFindings`.
 */
function findingPart(findings: readonly Finding[], most: number): Record<string, JsonValue> {
  const counts = new Map<string, { rule: string; result: string; count: number }>();
  const listed = findings.filter(({ rule, result }) => {
    const key = `${result} ${rule}`;
    const { count } = counts.get(key) ?? { count: 0 };
    counts.set(key, { rule, result, count: count + 1 });
    return count < most;
  });
  const omitted = [...counts.values()]
    .filter(({ count }) => count > most)
    .map(({ rule, result, count }) => ({ rule, result, count: count - most }));
  return { findings: listed.map(findingOf), ...(omitted.length === 0 ? {} : { omittedFindings: omitted }) };
}

const findingOf = (finding: Finding): JsonValue => ({
  rule: finding.rule,
  result: finding.result,
  severity: finding.severity,
  object: objectId(finding.object),
  ...(finding.path === undefined ? {} : { path: finding.path }),
  controls: [...finding.controls],
  ...(finding.waiver === undefined ? {} : { waiver: finding.waiver }),
  ...(finding.inherited === undefined ? {} : { inherited: true }),
});
