// SPDX-License-Identifier: Apache-2.0
import { parseStrict } from '../../attest/json.ts';
import type { Source } from '../../engine/index.ts';
import { WebhookError } from '../error.ts';

/** What a caller wants to have checked. All of it is the caller's word. */
export interface CheckRequest {
  /** The files as they were read or rendered, under the caller's names for them. */
  readonly files: readonly Source[];
  /** SHA-256 (hex) of the listing that the caller made of them: what is signed is about the set that was meant, or nothing is. */
  readonly setDigest: string;
  /** For objects that are in a namespace and name none. */
  readonly namespace?: string;
  /** Said to ask, or to have written it: proves nothing, and excludes from approving. */
  readonly requester?: string;
  readonly authors: readonly string[];
}

const MAX_FILES = 10_000;
const MAX_NAME = 4_096;
const MAX_AUTHORS = 100;
const MEMBERS: ReadonlySet<string> = new Set([
  'apiVersion',
  'kind',
  'files',
  'setDigest',
  'namespace',
  'requester',
  'authors',
]);

/**
 * Reads the body of `POST /v1/check`. A member that is not known is refused: it may have been meant to make the check stricter.
 * @throws {WebhookError} REQUEST_EMPTY | REQUEST_SYNTAX | REQUEST_SHAPE
 */
export function readRequest(body: Uint8Array): CheckRequest {
  if (body.length === 0) throw new WebhookError('REQUEST_EMPTY', 'the body is empty');
  const parsed = parseStrict(body);
  if (parsed === undefined)
    throw new WebhookError('REQUEST_SYNTAX', 'the body is no JSON, or one of its objects has a key twice');
  const request = membersOf(parsed.value);
  const odd = Object.keys(request).find((name) => !MEMBERS.has(name));
  if (odd !== undefined) throw malformed(`it has the member ${JSON.stringify(odd.slice(0, 100))}`);
  if (request['apiVersion'] !== 'countersign.dev/v1alpha1' || request['kind'] !== 'CheckRequest')
    throw malformed('it is no CheckRequest of countersign.dev/v1alpha1');
  const { setDigest } = request;
  if (typeof setDigest !== 'string' || !/^[0-9a-f]{64}$/.test(setDigest))
    throw malformed('"setDigest" is no SHA-256 in lower-case hex');
  const namespace = optional(request, 'namespace', /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/);
  const requester = optional(request, 'requester', NAME);
  return {
    files: filesOf(request['files']),
    setDigest,
    ...(namespace === undefined ? {} : { namespace }),
    ...(requester === undefined ? {} : { requester }),
    authors: authorsOf(request['authors'] ?? []),
  };
}

/** One line of printable text. */
const NAME = /^[^\p{Cc}]{1,256}$/u;

function optional(request: Members, name: string, form: RegExp): string | undefined {
  const value = request[name];
  if (value === undefined || (typeof value === 'string' && form.test(value))) return value;
  throw malformed(`${JSON.stringify(name)} is none`);
}

function authorsOf(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_AUTHORS)
    throw malformed(`"authors" is no list of at most ${MAX_AUTHORS} names`);
  return value.map((one: unknown) => {
    if (typeof one === 'string' && NAME.test(one)) return one;
    throw malformed('"authors" holds what is no name');
  });
}

function filesOf(value: unknown): readonly Source[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_FILES)
    throw malformed(`"files" is no list of 1 to ${MAX_FILES} files`);
  const files = value.map(fileOf);
  // Findings are placed by the names of files.
  if (new Set(files.map(({ name }) => name)).size < files.length)
    throw malformed('two files have the same name');
  return files;
}

function fileOf(value: unknown): Source {
  const { name, content, ...others } = membersOf(value);
  if (typeof name !== 'string' || name === '' || name.length > MAX_NAME || Object.keys(others).length > 0)
    throw malformed('a file is {"name": …, "content": …}, its name not empty');
  const bytes = typeof content === 'string' ? Buffer.from(content, 'base64') : undefined;
  // In its one spelling: another reader must not see other bytes.
  if (bytes === undefined || bytes.toString('base64') !== content)
    throw malformed('the content of a file is no base64');
  return { name, bytes };
}

type Members = Readonly<Record<string, unknown>>;

function membersOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed('it is no object');
  return Object.fromEntries(Object.entries(value));
}

const malformed = (why: string): WebhookError =>
  new WebhookError('REQUEST_SHAPE', `the body cannot be read as a request to check: ${why}`);
