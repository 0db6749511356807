// SPDX-License-Identifier: Apache-2.0
// What was evaluated, in a form that can be evaluated again and holds no secret value.
import { hash } from 'node:crypto';
import type { BenchEnvironment } from '../bounds.ts';
import type { Change, Requester } from '../change.ts';
import type { Decision, Operation, Phase } from '../decide/decision.ts';
import type { Finding } from '../decide/finding.ts';
import type { Enforcement } from '../decide/findings.ts';
import { oldOf } from '../earlier.ts';
import { EngineError } from '../error.ts';
import type { Document, JsonObject, JsonValue, ObjectId, Remark } from '../manifest/document.ts';
import type { Asked } from '../people/approval.ts';
import type { Unrepeatable } from '../record/predicate.ts';
import { isHidden } from '../record/redact.ts';
import { isSecret } from '../record/secret.ts';
import type { Bench } from '../review.ts';
import { maskSecret } from './mask.ts';

const API_VERSION = 'countersign.dev/v1alpha1';

/** What is kept of one evaluation, by the digest (SHA-256, hex) that its record names. */
export interface Kept {
  readonly digest: string;
  /** JSON; objects are text inside, byte for byte as they were evaluated, but for the values of Secrets. */
  readonly bytes: Uint8Array;
  /** What cannot be repeated; empty where the same policies must say the same. */
  readonly because: readonly Unrepeatable[];
}

/** How it was judged besides its policies, which the record names. */
export interface KeptBench {
  readonly environment?: BenchEnvironment;
  readonly enforcement: Readonly<Record<string, Enforcement>>;
  readonly projectDigest?: string;
  readonly strictErrors?: true;
  /** Minor version of Kubernetes whose schema was checked against; absent where none was. */
  readonly schemaMinor?: number;
  /** What was said of a namespace of no environment. */
  readonly unmapped?: Omit<Finding, 'object'>;
}

/** What was kept, read back. */
export interface KeptInput {
  readonly change: Change;
  readonly bench: KeptBench;
}

/** What was judged, by what, and what came of it. */
interface Judged {
  readonly change: Change;
  readonly bench: Bench;
  readonly decision: Decision;
  readonly unmapped: KeptBench['unmapped'];
}

interface KeptDocument {
  readonly json: string;
  readonly id?: ObjectId;
  readonly file: string;
  readonly line: number;
  readonly index: number;
  readonly pointer: string;
  readonly remarks?: readonly Remark[];
}

interface Written {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'KeptInput';
  readonly phase: Phase;
  readonly operation: Operation;
  readonly namespace?: string;
  readonly requester?: Requester;
  readonly request?: string;
  readonly oldObject?: string;
  /** What the tokens of whoever asked proved; never a token itself. */
  readonly oidc?: readonly JsonObject[];
  readonly asked?: Asked;
  /** What was proved about images, by their digests, each as JSON text. */
  readonly claims?: readonly (readonly [string, readonly string[]])[];
  /** Of whom it was believed of: what was proved then is not proved again. */
  readonly trustDigest?: string;
  readonly documents: readonly KeptDocument[];
  readonly bench: KeptBench;
}

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();

/** Keeps a change: every value of its Secrets is replaced by one of the same length and class. */
export function keep({ change, bench, decision, unmapped }: Judged): Kept {
  const { phase, operation, namespace, requester, request, oldObject, oidc, asked, claims } = change;
  const old = oldObject === undefined ? undefined : oldOf(oldObject);
  const written: Written = {
    apiVersion: API_VERSION,
    kind: 'KeptInput',
    phase,
    operation,
    ...(namespace === undefined ? {} : { namespace }),
    ...(requester === undefined ? {} : { requester }),
    ...(request === undefined ? {} : { request: textOf(request) }),
    ...(old === undefined ? {} : { oldObject: textOf(maskSecret(old)) }),
    ...(oidc === undefined ? {} : { oidc }),
    ...(asked === undefined ? {} : { asked }),
    ...(claims === undefined ? {} : { claims: [...claims] }),
    ...(decision.trustDigest === undefined ? {} : { trustDigest: decision.trustDigest }),
    documents: change.documents.map(keepDocument),
    bench: keptBench(bench, unmapped),
  };
  // Bytes of their own: a slice of Node's pool takes the whole pool along to another thread.
  const bytes = new TextEncoder().encode(JSON.stringify(written));
  const values = [...change.documents.map(({ value }) => value), ...(old === undefined ? [] : [old.value])];
  const seesValues = bench.policies.some(({ styles }) => styles.includes('conftest'));
  const because: Unrepeatable[] = [
    ...(seesValues && values.some(isSecret) ? (['secret-values'] as const) : []),
    ...(decision.findings.some(isHidden) ? (['hidden-path'] as const) : []),
    ...((bench.schema?.references ?? []).length > 0 ? (['custom-kinds'] as const) : []),
    ...(isByPeople(bench, decision) ? (['people'] as const) : []),
  ];
  return { digest: hash('sha256', bytes, 'hex'), bytes, because };
}

/** Whether what people signed has a part in it: approvals, locks, a waiver that was used. It is not kept with the input. */
function isByPeople({ standing }: Bench, { basis, findings }: Decision): boolean {
  if (standing === undefined) return false;
  const { approvals, locks, unverified } = standing;
  const isAsked = approvals !== undefined || locks.length > 0 || unverified.length > 0;
  return isAsked || basis !== undefined || findings.some(({ waiver }) => waiver !== undefined);
}

function keptBench(bench: Bench, unmapped: KeptBench['unmapped']): KeptBench {
  const { enforcement, environment, projectDigest, schema, strictErrors } = bench;
  return {
    enforcement,
    ...(environment === undefined ? {} : { environment }),
    ...(projectDigest === undefined ? {} : { projectDigest }),
    ...(strictErrors === undefined ? {} : { strictErrors }),
    ...(schema === undefined ? {} : { schemaMinor: schema.minor }),
    ...(unmapped === undefined ? {} : { unmapped }),
  };
}

const keepDocument = (document: Document): KeptDocument => ({
  json: textOf(maskSecret(document)),
  ...(document.id === undefined ? {} : { id: document.id }),
  file: document.file,
  line: document.line,
  index: document.index,
  pointer: document.pointer,
  ...(document.remarks === undefined ? {} : { remarks: document.remarks }),
});

/**
 * Reads what was kept. Its bytes have been held against the digest of a signed record before; whoever wrote them was us.
 * @throws {EngineError} RECORD_SHAPE for another version
 */
export function readKept(bytes: Uint8Array): KeptInput {
  const value: unknown = JSON.parse(textOf(bytes));
  if (!isWritten(value))
    throw new EngineError('RECORD_SHAPE', 'what was kept is of a version that this program does not know', {
      hint: 'use the version of countersign that kept it, or a newer one',
    });
  const {
    phase,
    operation,
    namespace,
    requester,
    request,
    oldObject,
    documents,
    bench,
    oidc,
    asked,
    claims,
    trustDigest,
  } = value;
  return {
    bench,
    change: {
      phase,
      operation,
      documents: documents.map(documentOf),
      sources: [],
      ...(namespace === undefined ? {} : { namespace }),
      ...(requester === undefined ? {} : { requester }),
      ...(oidc === undefined ? {} : { oidc }),
      ...(asked === undefined ? {} : { asked }),
      ...(claims === undefined ? {} : { claims: new Map(claims) }),
      ...(trustDigest === undefined ? {} : { trustDigest }),
      ...(request === undefined ? {} : { request: Buffer.from(request) }),
      ...(oldObject === undefined ? {} : { oldObject: Buffer.from(oldObject) }),
    },
  };
}

const isWritten = (value: unknown): value is Written =>
  Reflect.get(Object(value), 'apiVersion') === API_VERSION &&
  Reflect.get(Object(value), 'kind') === 'KeptInput';

function documentOf({ json, id, ...place }: KeptDocument): Document {
  const value: JsonValue = JSON.parse(json);
  return { ...place, json: Buffer.from(json), value, id };
}
