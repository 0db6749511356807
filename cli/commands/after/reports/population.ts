// SPDX-License-Identifier: Apache-2.0
// Which records a sample is drawn from, which are drawn, and how they compare with somebody else's list of changes.
import { hash } from 'node:crypto';
import { UsageError } from '../../../exit.ts';
import { readSource } from '../../../files.ts';
import type { Recorded } from '../recorded.ts';

/** The index of a record in its ledger, as the webhook's audit annotations and `records list` have it. */
export const indexOf = ({ bundle }: Recorded): string =>
  bundle.verificationMaterial.tlogEntries[0]?.logIndex ?? '';

/** Whether an environment is meant: by name, `*` standing for any run of characters. */
export function isMeant(pattern: string, environment: string | undefined): boolean {
  const expression = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|/]/g, '\\$&'));
  return environment !== undefined && new RegExp(`^${expression.join('.*')}$`, 's').test(environment);
}

/**
 * Draws `count` records: those whose SHA-256 of `<seed>:<decision id>` is least. Anyone who has seed and population draws the same,
 * and nobody who has to name the seed first can choose.
 */
export function draw(population: readonly Recorded[], count: number, seed: string): readonly Recorded[] {
  const rank = ({ decision }: Recorded): string => hash('sha256', `${seed}:${decision.id}`, 'hex');
  return population
    .map((record) => ({ record, rank: rank(record) }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, count)
    .map(({ record }) => record);
}

/** One change as somebody else lists it, by what it has in common with a record. */
interface Listed {
  readonly line: number;
  /** Id of a decision, its index in the ledger, or the digest of its set. */
  readonly key?: string;
}

/** What a list and the records do not have in common. */
export interface Reconciled {
  readonly listed: number;
  /** Lines that name a change of which there is no record. */
  readonly unrecorded: readonly string[];
  /** Lines that name nothing a record could be found by. */
  readonly incomparable: readonly string[];
  /** Ids of decisions that the list does not name. */
  readonly unlisted: readonly string[];
}

/**
 * Compares the population with a list: JSON lines or CSV (its first line names the columns) with `record` (the id of a decision or
 * its index in the ledger) or `setDigest`; or events of a Kubernetes audit log, whose annotation `…/record` the webhook wrote.
 * @throws {UsageError} | {EngineError} INPUT_UNREADABLE
 */
export function reconcile(population: readonly Recorded[], file: string): Reconciled {
  const listed = readList(file);
  const keys = new Map<string, string>();
  for (const record of population) {
    const { id, set } = record.decision;
    for (const key of [id, indexOf(record), set.digest.sha256]) keys.set(key, id);
  }
  const named = new Set(listed.flatMap(({ key }) => (key === undefined ? [] : (keys.get(key) ?? []))));
  const lineOf = ({ line, key }: Listed): string => `line ${line}${key === undefined ? '' : `: ${key}`}`;
  return {
    listed: listed.length,
    unrecorded: listed.filter(({ key }) => key !== undefined && !keys.has(key)).map(lineOf),
    incomparable: listed.filter(({ key }) => key === undefined).map(lineOf),
    unlisted: population.map(({ decision }) => decision.id).filter((id) => !named.has(id)),
  };
}

function readList(file: string): readonly Listed[] {
  const text = Buffer.from(readSource(file).bytes).toString('utf8');
  const lines = text.split(/\r?\n/).map((line, index) => ({ line: index + 1, text: line }));
  const filled = lines.filter((line) => line.text.trim() !== '');
  if (filled[0]?.text.trimStart().startsWith('{') !== false) return filled.map((one) => fromJson(file, one));
  const [head, ...rows] = filled;
  const columns = cellsOf(head?.text ?? '');
  if (!columns.includes('record') && !columns.includes('setDigest'))
    throw new UsageError(
      `${JSON.stringify(file)} has neither a column "record" nor "setDigest"`,
      'JSON lines, or CSV whose first line names its columns',
    );
  return rows.map(({ line, text: row }) => {
    const cells = cellsOf(row);
    return { line, ...keyOf(Object.fromEntries(columns.map((column, at) => [column, cells[at] ?? '']))) };
  });
}

function fromJson(file: string, { line, text }: { readonly line: number; readonly text: string }): Listed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`${JSON.stringify(file)}, line ${line}, is no JSON`, 'one object a line');
  }
  const annotations: object = Object(Reflect.get(Object(value), 'annotations'));
  const annotated = Object.entries(annotations).find(([key]) => key.endsWith('/record'))?.[1];
  return { line, ...keyOf({ record: annotated, ...Object(value) }) };
}

function keyOf({ record, setDigest }: { readonly record?: unknown; readonly setDigest?: unknown }): {
  readonly key?: string;
} {
  const given = [record, setDigest].find(
    (one) => (typeof one === 'string' && one !== '') || typeof one === 'number',
  );
  return given === undefined ? {} : { key: String(given).replace(/^sha256:/, '') };
}

/** RFC 4180 within one line. */
const cellsOf = (row: string): readonly string[] =>
  [...row.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((match) =>
    (match[1]?.replaceAll('""', '"') ?? match[2] ?? '').trim(),
  );
