// SPDX-License-Identifier: Apache-2.0

const CONTEXT = 3;
/** Above this many pairs of lines the changed part is shown as one replacement: finding what it has in common would take too long. */
const MAX_PAIRS = 4_000_000;

type Line = readonly [sign: ' ' | '-' | '+', text: string];

/** A unified diff of two texts, empty where they are equal. */
export function unifiedDiff(name: string, before: string, after: string): string {
  if (before === after) return '';
  const lines = compare(linesOf(before), linesOf(after));
  return [`--- ${name}`, `+++ ${name}`, ...hunksOf(lines), ''].join('\n');
}

/** Lines with their ends marked, so that a missing last line feed is a difference. */
function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  return last === '' ? lines : [...lines, `${last}\n\\ No newline at end of file`];
}

function compare(before: readonly string[], after: readonly string[]): readonly Line[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end++;
  const middle = longest(before.slice(start, before.length - end), after.slice(start, after.length - end));
  const keep = (text: string): Line => [' ', text];
  return [...before.slice(0, start).map(keep), ...middle, ...before.slice(before.length - end).map(keep)];
}

/** The longest common subsequence by the usual table. */
function longest(before: readonly string[], after: readonly string[]): readonly Line[] {
  const width = after.length + 1;
  if (before.length * after.length > MAX_PAIRS) return walk(before, after, () => 0);
  const table = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      table[i * width + j] =
        before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  return walk(before, after, at);
}

function walk(
  before: readonly string[],
  after: readonly string[],
  common: (i: number, j: number) => number,
): readonly Line[] {
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old, fresh] = [before[i], after[j]];
    if (old !== undefined && old === fresh && common(i, j) > 0) {
      lines.push([' ', old]);
      i++;
      j++;
    } else if (old !== undefined && (fresh === undefined || common(i + 1, j) >= common(i, j + 1))) {
      lines.push(['-', old]);
      i++;
    } else {
      lines.push(['+', fresh ?? '']);
      j++;
    }
  }
  return lines;
}

function hunksOf(lines: readonly Line[]): readonly string[] {
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(([sign]) => sign !== ' '),
  );
  const output: string[] = [];
  let [old, fresh] = [1, 1];
  for (let index = 0; index < lines.length; index++) {
    if (near[index] === true && near[index - 1] !== true) {
      let end = index;
      while (near[end] === true) end++;
      output.push(headOf(lines.slice(index, end), old, fresh));
    }
    const [sign, text] = lines[index] ?? [' ', ''];
    if (near[index] === true) output.push(`${sign}${text}`);
    if (sign !== '+') old++;
    if (sign !== '-') fresh++;
  }
  return output;
}

function headOf(hunk: readonly Line[], old: number, fresh: number): string {
  const gone = hunk.filter(([sign]) => sign !== '+').length;
  const come = hunk.filter(([sign]) => sign !== '-').length;
  return `@@ -${gone === 0 ? old - 1 : old},${gone} +${come === 0 ? fresh - 1 : fresh},${come} @@`;
}
