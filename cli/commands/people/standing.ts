// SPDX-License-Identifier: Apache-2.0
// What people have signed, read for one environment. Loaded only where a Project has people, so nothing here by a folder's index that
// would bring the ledger along.
import { join, resolve } from 'node:path';
import { parseStrict } from '../../../attest/json.ts';
import { isLogin, verifyLogin } from '../../../attest/login/index.ts';
import { fixedKeyring } from '../../../attest/tokens/index.ts';
import { readTrust, type Trust } from '../../../attest/trust/index.ts';
import { type Person, personOfIdentity, personOfKey } from '../../../engine/context/people.ts';
import type { Environment, Project, ProjectIssuer } from '../../../engine/context/project.ts';
import { type JsonObject, member, textMember } from '../../../engine/manifest/index.ts';
import {
  type Asked,
  type FileProof,
  type Gathered,
  gather,
  type Standing,
  type StatementFile,
} from '../../../engine/people/index.ts';
import { readSource } from '../../files.ts';
import { statementFiles } from '../../inputs/statements.ts';

/** A Project and the folder it is in. */
export interface Found {
  readonly project: Project;
  readonly directory: string;
}

/** What is asked of people for one environment. */
export interface StandingRequest {
  readonly found: Found;
  readonly environment: Environment;
  /** Further folders, of which nothing holds a check back that does not verify. */
  readonly folders: readonly string[];
  readonly now: Date;
}

/**
 * Reads the folders of signed statements and says what of them holds.
 * @throws {AttestError} TRUST_SHAPE @throws {EngineError} INPUT_UNREADABLE | INPUT_TOO_LARGE
 */
export async function gatherFor({ found, environment, folders, now }: StandingRequest): Promise<Gathered> {
  const { project } = found;
  const own = statementsFolder(found);
  const files = [
    ...(own === undefined ? [] : statementFiles(own, true)),
    ...folders
      .filter((folder) => resolve(folder) !== resolve(own ?? ''))
      .flatMap((folder) => statementFiles(folder, false)),
  ];
  const proved = await Promise.all(files.map((file) => provedFile(file, project, now)));
  return gather(proved, { project, environment, trust: trustOf(project), at: now });
}

/** A file with what its login proves, where it is one. @throws {AttestError} TOKEN_KEYS */
export async function provedFile(file: StatementFile, project: Project, now: Date): Promise<StatementFile> {
  if (!isLogin(file.bytes)) return file;
  return { ...file, proof: await loginProof(file.bytes, project, now) };
}

async function loginProof(bytes: Uint8Array, project: Project, now: Date): Promise<FileProof> {
  const { login } = project;
  const issuer = loginIssuer(project);
  if (login === undefined || issuer === undefined)
    return { ok: false, reason: 'the Project trusts no login' };
  const { jwks, ...stated } = issuer;
  const keyring = fixedKeyring(readSource(jwks.file).bytes);
  const verdict = await verifyLogin(bytes, { ...stated, keyring }, { statedAt, now });
  if (!verdict.ok) return verdict;
  const { uses, environments } = login;
  return { ok: true, how: 'login', issuer: verdict.issuer, subject: verdict.subject, uses, environments };
}

/** The issuer whose logins count, with the file that its keys are stored in. */
export function loginIssuer({
  login,
  issuers = [],
}: Project): (Omit<ProjectIssuer, 'jwks'> & { readonly jwks: { readonly file: string } }) | undefined {
  const found = issuers.find(({ name }) => name === login?.issuer);
  return found !== undefined && 'file' in found.jwks ? { ...found, jwks: found.jwks } : undefined;
}

/** When a statement says that it was made; an invalid date where it says nothing or is no JSON. */
function statedAt(payload: Uint8Array): Date {
  const predicate: unknown = Reflect.get(Object(parseStrict(payload)?.value), 'predicate');
  const time: unknown = Reflect.get(Object(predicate), 'time') ?? Reflect.get(Object(predicate), 'notBefore');
  return new Date(typeof time === 'string' ? time : Number.NaN);
}

/** The folder of the Project's own statements. */
export const statementsFolder = ({ project, directory }: Found): string | undefined =>
  project.statements === undefined ? undefined : join(directory, project.statements.directory);

/** Whom a Project trusts. @throws {AttestError} TRUST_SHAPE */
export const trustOf = ({ trust }: Project): Trust =>
  readTrust({
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'Trust',
    keys: trust?.keys ?? [],
    logs: trust?.logs ?? [],
  });

/** How it may be known who asks. */
export interface AskingParts {
  /** Id of the key that signs the record. */
  readonly keyId?: string;
  /** What id tokens prove, as `input.context.oidc` has it. */
  readonly tokens: readonly JsonObject[];
  readonly requester?: string;
  readonly authors: readonly string[];
}

/**
 * Who asks for a check: whom an id token names, else whose key signs the record. Whoever is known besides is as one who wrote it: a name
 * that is only said proves nothing, and excludes all the same. So does a key or a login of nobody: it may be that of an approver.
 */
export function askedBy({ project }: Found, { keyId, tokens, requester, authors }: AskingParts): Asked {
  const people = project.people ?? [];
  const logins = tokens.map((token) => loginOf(token, people));
  const key = trustOf(project).keys.find((one) => one.id === keyId)?.name;
  const person = key === undefined ? undefined : personOfKey(people, key)?.name;
  const signer = key === undefined ? [] : [{ id: person ?? key, isPerson: person !== undefined }];
  const [proved, ...others] = [...logins, ...signer];
  const named = requester === undefined ? [] : [requester];
  if (proved !== undefined)
    return {
      requester: {
        id: proved.id,
        how: logins.length > 0 ? 'oidc' : 'key',
        trust: proved.isPerson ? 'verified' : 'asserted',
      },
      authors: [...authors, ...others.map(({ id }) => id), ...named],
    };
  if (requester === undefined) return { authors };
  return { requester: { id: requester, how: 'flag', trust: 'asserted' }, authors };
}

/** The person whom a token names: its subject, or the user whose job it is. */
function loginOf(
  token: JsonObject,
  people: readonly Person[],
): { readonly id: string; readonly isPerson: boolean } {
  const [issuer, subject] = [textMember(token, 'issuer') ?? '', textMember(token, 'subject') ?? ''];
  const user = textMember(member(token, 'norm'), 'userId');
  const person = [subject, ...(user === undefined ? [] : [user])]
    .map((one) => personOfIdentity(people, { issuer, subject: one }))
    .find((one) => one !== undefined);
  return { id: person?.name ?? `${issuer} ${user ?? subject}`, isPerson: person !== undefined };
}

/** What is signed, as a check takes it: without a record a broken glass lets nothing through, since nobody would see it used. */
export function withoutRecord(standing: Standing): Standing {
  return { ...standing, breakGlass: [] };
}
