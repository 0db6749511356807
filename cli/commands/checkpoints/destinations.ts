// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';
import {
  AttestError,
  type Destination,
  type Published,
  readAddress,
  readWitness,
} from '../../../attest/index.ts';
import type { Project } from '../../../engine/context/project.ts';
import { messageOf } from '../../cause.ts';
import { UsageError } from '../../exit.ts';
import { oneLine } from '../../report/text.ts';

const FORMS = 'file=FILE, tiles=DIR, git=CLONE, http=URL, timestamp=URL,DIR or witness=URL,KEY';

/** Reads `KIND=WHERE` as the flags have it. @throws {UsageError} */
export function destinationOf(text: string): Destination {
  const at = text.indexOf('=');
  const [kind, where] = [text.slice(0, at), text.slice(at + 1)];
  if (at > 0 && where !== '') {
    if (kind === 'file') return { kind, file: where };
    if (kind === 'tiles') return { kind, directory: where };
    if (kind === 'git') return { kind, repository: where };
    if (kind === 'http') return { kind, url: addressOf(where) };
    const comma = where.indexOf(',');
    if (kind === 'timestamp' && comma > 0 && comma < where.length - 1)
      return { kind, url: addressOf(where.slice(0, comma)), directory: where.slice(comma + 1) };
    if (kind === 'witness') {
      const last = where.lastIndexOf(',');
      return witnessOf(where.slice(0, Math.max(0, last)), where.slice(last + 1));
    }
  }
  throw new UsageError(`${JSON.stringify(text)} is no place for checkpoints`, `one of ${FORMS}`);
}

/** What the Project publishes to; its paths are relative to its folder. @throws {UsageError} */
export function destinationsIn(project: Project, folder: string): readonly Destination[] {
  return (project.ledger?.publish ?? []).map((stated): Destination => {
    const path = (name: string): string => join(resolve(folder), name);
    if ('file' in stated) return { kind: 'file', file: path(stated.file) };
    if ('tiles' in stated) return { kind: 'tiles', directory: path(stated.tiles) };
    if ('git' in stated) return { kind: 'git', repository: path(stated.git) };
    if ('timestamp' in stated)
      return { kind: 'timestamp', url: addressOf(stated.timestamp), directory: path(stated.directory) };
    return 'http' in stated
      ? { kind: 'http', url: addressOf(stated.http) }
      : witnessOf(stated.witness, stated.key);
  });
}

function addressOf(text: string): URL {
  const url = readAddress(text);
  if (url !== undefined) return url;
  throw new UsageError(
    `${JSON.stringify(text)} is no address to publish to`,
    'an https URL without a user, or http on this machine',
  );
}

function witnessOf(url: string, key: string): Destination {
  const witness = readWitness(key);
  if (witness !== undefined) return { kind: 'witness', url: addressOf(url), witness };
  throw new UsageError(
    `${JSON.stringify(key)} is no key of a witness`,
    'its verifier key, NAME+ID+BASE64, of an Ed25519 cosigner (type 4)',
  );
}

/** One line of what became of a destination. */
export function fateOf({ destination, failure }: Published): string {
  const place = oneLine(placeOf(destination));
  return failure === undefined ? `ok  ${place}` : `no  ${place}: ${oneLine(reasonOf(failure))}`;
}

function placeOf(destination: Destination): string {
  if (destination.kind === 'file') return `file ${destination.file}`;
  if (destination.kind === 'tiles') return `tiles ${destination.directory}`;
  if (destination.kind === 'git') return `git ${destination.repository}`;
  if (destination.kind === 'http') return `http ${destination.url.href}`;
  if (destination.kind === 'timestamp') return `timestamp ${destination.url.href}`;
  return `witness ${destination.witness.name}`;
}

const reasonOf = (failure: unknown): string =>
  failure instanceof AttestError ? `${failure.message} [${failure.code}]` : messageOf(failure);
