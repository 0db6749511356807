// SPDX-License-Identifier: Apache-2.0
import { field } from '../cluster/api.ts';

/** File, kind (deny or warn) and message of one finding, as one text that can be compared. */
export type Finding = string;

/** The findings in what `conftest test --output json` printed. */
export function theirFindings(json: string): Finding[] {
  return list(JSON.parse(json)).flatMap((result) =>
    [['failures', 'deny'] as const, ['warnings', 'warn'] as const].flatMap(([key, kind]) =>
      list(field(result, key)).map((one) => text(field(result, 'filename'), kind, field(one, 'msg'))),
    ),
  );
}

/** The findings in what `countersign check --format json` printed. */
export function ourFindings(json: string): Finding[] {
  const kinds = new Map<unknown, string>([
    ['fail', 'deny'],
    ['warn', 'warn'],
  ]);
  return list(field(JSON.parse(json), 'findings')).map((one) => {
    const result = field(one, 'result');
    return text(field(one, 'location', 'file'), kinds.get(result) ?? String(result), field(one, 'message'));
  });
}

const text = (file: unknown, kind: string, message: unknown): Finding => `${file} ${kind} ${message}`;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** What is in one list and not in the other; something that is there twice counts twice. */
export function differences(
  theirs: readonly Finding[],
  ours: readonly Finding[],
): { readonly missing: readonly Finding[]; readonly extra: readonly Finding[] } {
  return { missing: without(theirs, ours), extra: without(ours, theirs) };
}

function without(from: readonly Finding[], taken: readonly Finding[]): Finding[] {
  const counts = new Map<Finding, number>();
  for (const one of taken) counts.set(one, (counts.get(one) ?? 0) + 1);
  return from.filter((one) => {
    const count = counts.get(one) ?? 0;
    counts.set(one, count - 1);
    return count <= 0;
  });
}
