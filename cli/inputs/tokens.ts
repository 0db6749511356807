// SPDX-License-Identifier: Apache-2.0
// The id tokens of a run. Loaded only where one is given.
import { AttestError } from '../../attest/error.ts';
import {
  fetchedKeyring,
  fetchJwks,
  fixedKeyring,
  KEYRING_TIMES,
  type Keyring,
  MAX_TOKEN_CHARACTERS,
  type TokenIssuer,
  verifyToken,
} from '../../attest/tokens/index.ts';
import { oidcOf } from '../../engine/context/oidc.ts';
import type { Project, ProjectIssuer } from '../../engine/context/project.ts';
import type { Change } from '../../engine/index.ts';
import { UsageError } from '../exit.ts';
import { readSource } from '../files.ts';
import type { Io } from '../io.ts';

/**
 * Verifies the tokens that these names stand for, by what the Project says of their issuers. A token that does not hold is no answer:
 * what was asked with it cannot be judged without.
 * @throws {AttestError} TOKEN_UNREADABLE | TOKEN_KEYS | TOKEN_REFUSED @throws {UsageError} without issuers in a Project
 */
export async function readTokens(
  names: readonly string[],
  project: Project | undefined,
  io: Io,
): Promise<Required<Pick<Change, 'oidc'>>> {
  const issuers = project?.issuers ?? [];
  if (issuers.length === 0)
    throw new UsageError(
      '--id-token needs a Project that trusts an issuer',
      'declare it under issuers, with its audience and keys; see docs/tokens.md',
    );
  const trusted = issuers.map(issuerOf);
  const oidc = [];
  for (const name of new Set(names)) {
    const verdict = await verifyToken(readToken(name, io), trusted, io.now());
    if (!verdict.ok)
      throw new AttestError('TOKEN_REFUSED', `token ${JSON.stringify(name)} is refused: ${verdict.reason}`, {
        hint: 'the Project names under issuers whose tokens are believed, for which audience and by which keys',
      });
    oidc.push(oidcOf(verdict.token));
  }
  return { oidc };
}

/** A variable of that name, else a file: `./NAME` is always a file. What stands there is in no message. */
export function readToken(name: string, io: Io): string {
  const variable = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? io.env[name] : undefined;
  const text = variable ?? readTokenFile(name);
  const token = text.replace(/\r?\n$/, '');
  if (token !== '') return token;
  throw new AttestError('TOKEN_UNREADABLE', `there is no token in ${JSON.stringify(name)}`, {
    hint: 'GitLab: id_tokens of the job; GitHub: permissions id-token: write, and a step that asks for the token',
  });
}

function readTokenFile(name: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readSource(name).bytes;
  } catch (cause) {
    throw new AttestError(
      'TOKEN_UNREADABLE',
      `${JSON.stringify(name)} is no variable of the environment, and no file that can be read`,
      { cause, hint: 'name the variable without $, so that the token is in no list of processes' },
    );
  }
  return Buffer.from(bytes.subarray(0, MAX_TOKEN_CHARACTERS + 2)).toString('latin1');
}

/** An issuer as the Project states it, with its keys. @throws {AttestError} TOKEN_KEYS @throws {EngineError} INPUT_UNREADABLE */
export const issuerOf = (stated: ProjectIssuer): TokenIssuer => {
  const { name, issuer, audience, kind } = stated;
  return { name, issuer, audience, kind, keyring: keyringOf(stated) };
};

function keyringOf({ jwks }: ProjectIssuer): Keyring {
  if ('file' in jwks) return fixedKeyring(readSource(jwks.file).bytes);
  const url = new URL(jwks.url);
  const privateHosts = jwks.private === true ? [url.hostname.replace(/^\[|\]$/g, '')] : [];
  return fetchedKeyring(() => fetchJwks(url, { plainHttp: false, privateHosts }), KEYRING_TIMES);
}
