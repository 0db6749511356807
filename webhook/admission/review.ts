// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer';
import type { Change, Operation } from '../../engine/index.ts';
import { WebhookError } from '../error.ts';
import { type Member, scanMembers } from './scan.ts';

type Document = Change['documents'][number];
type Json = Document['value'];
type JsonObject = { readonly [key: string]: Json };

/** An AdmissionReview v1 request: what the answer needs of it, and the change to judge. */
export interface Review {
  readonly uid: string;
  readonly operation: Operation;
  readonly group: string;
  readonly kind: string;
  readonly subResource?: string;
  readonly namespace?: string;
  /** Empty when neither the object nor the request has one. */
  readonly name: string;
  /** Nothing may be kept of a dry run (sideEffects: NoneOnDryRun). */
  readonly dryRun: boolean;
  readonly change: Change;
}

const OPERATIONS: readonly Operation[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'];
const UID_CHARACTERS = 256;

/**
 * Reads the body of an admission request. Untrusted: anything but an AdmissionReview v1 with a whole request is refused.
 * The bytes of `object` and `oldObject` are cut out as they came, so that int64 reach the policy exactly.
 * @throws {WebhookError} REQUEST_EMPTY | REQUEST_SYNTAX | REQUEST_DUPLICATE_KEY | REQUEST_SHAPE
 * @see https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request
 */
export function parseReview(body: Buffer): Review {
  const review = parseObject(body);
  if (
    stringAt(review, 'apiVersion') !== 'admission.k8s.io/v1' ||
    stringAt(review, 'kind') !== 'AdmissionReview'
  )
    throw shape('not an AdmissionReview of admission.k8s.io/v1', {
      hint: 'set admissionReviewVersions: ["v1"] in the webhook configuration',
    });
  const request = objectAt(review, 'request');
  if (request === undefined) throw shape('request is missing');
  const spans = scanMembers(body, 'request').inside;
  return reviewOf(request, body, spans);
}

function parseObject(body: Buffer): JsonObject {
  if (body.length === 0) throw new WebhookError('REQUEST_EMPTY', 'the body is empty');
  if (!isUtf8(body)) throw new WebhookError('REQUEST_SYNTAX', 'the body is not UTF-8');
  let value: Json;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    // The parser's own message quotes the body, which may hold a Secret.
    throw new WebhookError('REQUEST_SYNTAX', 'the body is not JSON');
  }
  if (!isObject(value)) throw shape('the body is not a JSON object');
  return value;
}

function reviewOf(request: JsonObject, body: Buffer, spans: readonly Member[]): Review {
  const asked = stringAt(request, 'operation');
  const operation = OPERATIONS.find((one) => one === asked);
  if (operation === undefined) throw shape('request.operation is not CREATE, UPDATE, DELETE or CONNECT');
  const uid = stringAt(request, 'uid') ?? '';
  if (uid === '' || uid.length > UID_CHARACTERS)
    throw shape(`request.uid is not a string of 1 to ${UID_CHARACTERS}`);
  const kind = objectAt(request, 'kind');
  const names = { group: kind && stringAt(kind, 'group'), kind: kind && stringAt(kind, 'kind') };
  if (names.group === undefined || !names.kind) throw shape('request.kind is not a group, version and kind');
  const namespace = stringAt(request, 'namespace');
  const subResource = stringAt(request, 'subResource');
  const document = documentOf(request, operation, body, spans);
  return {
    uid,
    operation,
    group: names.group,
    kind: names.kind,
    name: document.id?.name ?? stringAt(request, 'name') ?? '',
    dryRun: booleanAt(request, 'dryRun') ?? false,
    ...(subResource ? { subResource } : {}),
    ...(namespace ? { namespace } : {}),
    change: {
      phase: 'admission',
      operation,
      documents: [document],
      sources: [],
      request: requestBytes(body, spans),
      ...(operation === 'UPDATE' ? { oldObject: partOf('oldObject', request, body, spans).json } : {}),
      ...(namespace ? { namespace } : {}),
    },
  };
}

/** What is judged: the object; on DELETE the object that is to go, since there is no other. */
function documentOf(
  request: JsonObject,
  operation: Operation,
  body: Buffer,
  spans: readonly Member[],
): Document {
  const key = operation === 'DELETE' ? 'oldObject' : 'object';
  const { json, value } = partOf(key, request, body, spans);
  const id = idOf(value, request);
  return { json, value, id, file: 'admission', line: 1, index: 0, pointer: '' };
}

function partOf(
  key: string,
  request: JsonObject,
  body: Buffer,
  spans: readonly Member[],
): { readonly json: Buffer; readonly value: JsonObject } {
  const span = spans.find((member) => member.key === key);
  const value = objectAt(request, key);
  if (span === undefined || value === undefined) throw shape(`request.${key} is missing`);
  return { json: body.subarray(span.start, span.end), value };
}

function idOf(object: JsonObject, request: JsonObject): Document['id'] {
  const apiVersion = stringAt(object, 'apiVersion');
  const kind = stringAt(object, 'kind');
  if (!apiVersion || !kind) return undefined;
  const metadata = objectAt(object, 'metadata') ?? {};
  // The API server names a Namespace as its own namespace; the object itself has none.
  const inherited = apiVersion === 'v1' && kind === 'Namespace' ? undefined : stringAt(request, 'namespace');
  const namespace = stringAt(metadata, 'namespace') || inherited;
  // Servers before 1.37 name an object of generateName only after admission; no real name ends in "-" as the prefix does.
  const name =
    stringAt(metadata, 'name') || stringAt(request, 'name') || stringAt(metadata, 'generateName') || '';
  return { apiVersion, kind, name, ...(namespace ? { namespace } : {}) };
}

/** The AdmissionRequest without `object` and `oldObject`, from the runs of bytes between them. */
function requestBytes(body: Buffer, spans: readonly Member[]): Buffer {
  const parts: Buffer[] = [];
  let run: { from: number; end: number } | undefined;
  for (const member of spans) {
    if (member.key === 'object' || member.key === 'oldObject') {
      if (run !== undefined) parts.push(body.subarray(run.from, run.end));
      run = undefined;
    } else run = { from: run?.from ?? member.from, end: member.end };
  }
  if (run !== undefined) parts.push(body.subarray(run.from, run.end));
  const comma = Buffer.from(',');
  const joined = parts.flatMap((part, index) => (index === 0 ? [part] : [comma, part]));
  return Buffer.concat([Buffer.from('{'), ...joined, Buffer.from('}')]);
}

function objectAt(object: JsonObject, key: string): JsonObject | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw shape(`${key} is not an object`);
  return value;
}

function stringAt(object: JsonObject, key: string): string | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw shape(`${key} is not a string`);
  return value;
}

// "true" in quotes must not be read as no dry run, nor as one: a dry run leaves no record.
function booleanAt(object: JsonObject, key: string): boolean | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw shape(`${key} is not true or false`);
  return value;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shape(message: string, detail: { readonly hint?: string } = {}): WebhookError {
  return new WebhookError('REQUEST_SHAPE', message, detail);
}
