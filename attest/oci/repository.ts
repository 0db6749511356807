// SPDX-License-Identifier: Apache-2.0
import { AttestError } from '../error.ts';
import type { HttpAnswer } from './http.ts';
import type { OciReference } from './reference.ts';
import { locationOf, openSession, type RegistryAccess, type Session } from './session.ts';

/** One repository to read from, wherever it is served. */
export interface Repository {
  /** Reads below `/v2/<repository>/`. Mirrors are asked first: one that cannot answer, or has nothing, is passed over. */
  get(path: string, wanted: Wanted): Promise<Read>;
}

/** What is read, and what it may cost. */
export interface Wanted {
  readonly accept?: string;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** An answer, whatever its status. */
export interface Read {
  readonly answer: HttpAnswer;
  /** Reads the page after this one, from whoever answered; undefined where there is none. */
  readonly next?: () => Promise<Read>;
}

/** Opens a repository; nothing is sent yet. */
export function openRepository(reference: OciReference, access: RegistryAccess): Repository {
  const { registry, repository } = reference;
  const { places = [], isClosed = false } = access.mirrors?.get(registry) ?? {};
  const mirrors = places.map((place) => placeOf(place, repository));
  const own = isClosed && mirrors.length > 0 ? [] : [{ registry, repository }];
  const sessions = [...mirrors, ...own].map((place) =>
    openSession({ ...place, name: reference.name }, 'pull', access),
  );
  return {
    async get(path, wanted) {
      for (const session of sessions.slice(0, -1)) {
        const read = await attempt(() => readAt(session, session.url(path), wanted));
        if (read?.answer.status === 200) return read;
      }
      const last = sessions.at(-1);
      if (last === undefined) throw new AttestError('REGISTRY_UNAVAILABLE', 'no registry is left to ask');
      return readAt(last, last.url(path), wanted);
    },
  };
}

/** `host/prefix` and a repository below it. */
function placeOf(place: string, repository: string): { registry: string; repository: string } {
  const slash = place.indexOf('/');
  return slash < 0
    ? { registry: place, repository }
    : { registry: place.slice(0, slash), repository: `${place.slice(slash + 1)}/${repository}` };
}

async function readAt(session: Session, url: URL, wanted: Wanted): Promise<Read> {
  const { accept, maxBytes, timeoutMs } = wanted;
  const headers: Record<string, string> = accept === undefined ? {} : { accept };
  const answer = await session.request({ method: 'GET', url, headers, maxBytes, timeoutMs });
  const next = answer.status === 200 ? nextOf(answer, url) : undefined;
  return next === undefined ? { answer } : { answer, next: () => readAt(session, next, wanted) };
}

/**
 * The next page that an answer names. It is on the same host, or the list would be continued by somebody else.
 * @throws {AttestError} REGISTRY_CONTENT
 * @see https://www.rfc-editor.org/rfc/rfc8288
 */
function nextOf({ headers }: HttpAnswer, from: URL): URL | undefined {
  const { link } = headers;
  const text = Array.isArray(link) ? link.join(', ') : (link ?? '');
  const target = /<([^<>]*)>\s*;[^<]*\brel="?next"?/i.exec(text)?.[1];
  if (target === undefined) return undefined;
  const url = locationOf(target, from);
  if (url.origin === from.origin) return url;
  throw new AttestError('REGISTRY_CONTENT', `${JSON.stringify(from.host)} names a next page elsewhere`);
}

/** What a mirror answers, or undefined where it does not: another one is asked then. */
async function attempt(read: () => Promise<Read>): Promise<Read | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof AttestError && error.code === 'REGISTRY_UNAVAILABLE') return undefined;
    throw error;
  }
}
