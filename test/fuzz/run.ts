// SPDX-License-Identifier: Apache-2.0
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import { compare, minimised } from './compare.ts';
import { documents, type Origin } from './documents.ts';

/** What a run found. */
export interface Run {
  readonly made: Readonly<Record<Origin, number>>;
  readonly taken: Readonly<Record<Origin, number>>;
  readonly disagreements: readonly Disagreement[];
}

export interface Disagreement {
  readonly text: string;
  readonly fast: string;
  readonly reader: string;
}

const SHOWN_MAX = 20;

/** Compares the readers on `count` generated documents; stops at the twentieth disagreement. */
export function fuzz(reader: YamlReader, seed: number, count: number): Run {
  const [made, taken] = [counts(), counts()];
  const disagreements: Disagreement[] = [];
  for (const { origin, text } of documents(seed, count)) {
    made[origin]++;
    const verdict = compare(reader, text);
    if (verdict.is !== 'left') taken[origin]++;
    if (verdict.is !== 'different') continue;
    const short = minimised(reader, text);
    const again = compare(reader, short);
    if (again.is === 'different') disagreements.push({ ...again, text: short });
    if (disagreements.length >= SHOWN_MAX) break;
  }
  return { made, taken, disagreements };
}

const counts = (): Record<Origin, number> => ({ grammar: 0, manifest: 0, trap: 0 });

/** A run in which hardly a manifest is taken compares nothing. */
export const isTelling = ({ made, taken }: Run): boolean =>
  made.manifest > 0 && taken.manifest * 3 >= made.manifest;
