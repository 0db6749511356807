// SPDX-License-Identifier: Apache-2.0
// Whom these verbs believe about records: a file that was named, else the Project, else what was written beside the ledger. What the
// Project says of a key also counts there, where nobody takes a key out.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttestError, parseTrust, readTrust, type Trust, type TrustedKey } from '../../../attest/index.ts';
import type { Project } from '../../../engine/context/project.ts';
import type { Args } from '../../args.ts';
import { codeOf } from '../../cause.ts';
import type { Found } from '../../ledger/place.ts';
import type { Believed } from './ended.ts';

/** Whom to believe, and the trust file that says so, for those who verify later. */
export interface Given extends Believed {
  readonly text: string;
}

/** Where trust is looked for, where no flag names it. */
export interface GivenPlace {
  readonly found: Found;
  readonly state: string;
  readonly now: Date;
}

/** @throws {AttestError} TRUST_UNREADABLE | TRUST_SHAPE */
export function givenBy(args: Args, { found, state, now }: GivenPlace): Given {
  const stated = args.text('trust');
  if (stated !== undefined) return { ...readFile(stated), now };
  const { keys = [], logs = [] } = found?.project.trust ?? {};
  if (logs.length > 0) return { ...written({ keys, logs }), now };
  const file = readFile(join(state, 'trust.json'));
  return { ...(keys.length === 0 ? file : narrowed(file, keys)), now };
}

type Written = Pick<Given, 'trust' | 'text'>;

function written(members: object): Written {
  const file = { apiVersion: 'countersign.dev/v1alpha1', kind: 'Trust', ...members };
  return { trust: readTrust(file), text: `${JSON.stringify(file, null, 2)}\n` };
}

function readFile(file: string): Written {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new AttestError('TRUST_UNREADABLE', `cannot read ${JSON.stringify(file)}: ${codeOf(cause)}`, {
      hint: 'name a trust file with --trust: trust.json of the state folder, or your own',
      cause,
    });
  }
  return { trust: parseTrust(bytes), text: bytes.toString('utf8') };
}

type ProjectKeys = NonNullable<NonNullable<Project['trust']>['keys']>;
type Key = Trust['keys'][number];

/** The logs of a trust file with the Project's keys for records; with its own where the Project names none for that. Of both the stricter holds. */
function narrowed({ trust, text }: Written, projectKeys: ProjectKeys): Written {
  const { logs, finals }: { readonly logs: unknown; readonly finals?: unknown } = JSON.parse(text);
  const root = { logs, ...(finals === undefined ? {} : { finals }) };
  const own = written({ ...root, keys: projectKeys }).trust.keys;
  const isStated = own.some(({ uses }) => uses.includes('record'));
  const [keys, others] = isStated ? [own, trust.keys] : [trust.keys, own];
  const both = keys.map((key) =>
    stricter(
      key,
      others.find(({ id }) => id === key.id),
    ),
  );
  return written({ ...root, keys: both.filter(({ uses }) => uses.length > 0) });
}

/** One key as two say of it: what both allow. A checkpoint counts where whoever says that it ended names it. */
function stricter(one: Key, other: Key | undefined): TrustedKey {
  if (other === undefined) return statedOf(one);
  const ending = [one, other].filter(({ notAfter, revokedAt }) => (notAfter ?? revokedAt) !== undefined);
  const [until] = ending.map((key) => key.until);
  const isAgreed = ending.every((key) => key.until === until);
  const { notBefore, notAfter, revokedAt } = {
    notBefore: [one.notBefore, other.notBefore].filter(isText).sort(byTime).at(-1),
    notAfter: [one.notAfter, other.notAfter].filter(isText).sort(byTime)[0],
    revokedAt: [one.revokedAt, other.revokedAt].filter(isText).sort(byTime)[0],
  };
  return {
    name: one.name,
    uses: one.uses.filter((use) => other.uses.includes(use)),
    environments: common(one.environments, other.environments),
    publicKey: one.publicKey,
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(notAfter === undefined ? {} : { notAfter }),
    ...(revokedAt === undefined ? {} : { revokedAt }),
    ...(until === undefined || !isAgreed ? {} : { until }),
  };
}

/** Without what was loaded from it. */
const statedOf = ({ key: _key, der: _der, id: _id, kept: _kept, ...stated }: Key): TrustedKey => stated;

const isText = (time: string | undefined): time is string => time !== undefined;
const byTime = (a: string, b: string): number => Date.parse(a) - Date.parse(b);

function common(one: readonly string[], other: readonly string[]): readonly string[] {
  if (one.includes('*')) return other;
  return other.includes('*') ? one : one.filter((name) => other.includes(name));
}
