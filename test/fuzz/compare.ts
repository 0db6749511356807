// SPDX-License-Identifier: Apache-2.0
import { byteFault } from '../../engine/manifest/encoding.ts';
import { readFast, readFastTree } from '../../engine/manifest/fast/index.ts';
import { type TreeNode, treeOf } from '../../engine/manifest/syntax.ts';
import type { YamlReader, YamlSection } from '../../engine/toolchain/yaml.ts';

/** What came of one document: the fast reader left it, took it and was right, or was wrong and how. */
export type Verdict =
  | { readonly is: 'left' }
  | { readonly is: 'equal' }
  | { readonly is: 'different'; readonly fast: string; readonly reader: string };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Holds values, lines and ranges to Kubernetes' reader, and places to npm's yaml. */
export function compare(reader: YamlReader, text: string): Verdict {
  const bytes = encoder.encode(text);
  if (byteFault(bytes) !== undefined) return { is: 'left' };
  const sections = readFast(bytes);
  if (sections === undefined) return { is: 'left' };
  const [fast, expected] = [shown(sections), asRead(reader, bytes)];
  if (fast !== expected) return { is: 'different', fast, reader: expected };
  for (const { start, end } of sections) {
    const verdict = comparePlaces(bytes.subarray(start, end));
    if (verdict.is !== 'equal') return verdict;
  }
  return { is: 'equal' };
}

const shown = (sections: readonly YamlSection[]): string =>
  sections
    .map(
      ({ json, startLine, start, end }) => `line ${startLine}, ${start} to ${end}: ${decoder.decode(json)}`,
    )
    .join('\n');

function asRead(reader: YamlReader, bytes: Uint8Array): string {
  try {
    return shown(reader.read(bytes));
  } catch (error) {
    return `refused: ${String(error)}`;
  }
}

function comparePlaces(bytes: Uint8Array): Verdict {
  const fast = readFastTree(bytes);
  if (fast === undefined) return { is: 'equal' }; // npm's yaml is asked
  const [own, expected] = [placesOf(fast), placesOf(treeOf(decoder.decode(bytes)))];
  return own === expected ? { is: 'equal' } : { is: 'different', fast: own, reader: expected };
}

/** Each pointer with the offset that `locate` gives it. Keys as written: npm's yaml takes the string `e1` for a number. */
function placesOf(root: TreeNode | undefined): string {
  if (root === undefined) return 'no tree';
  const places = [`@${root.offset}`];
  visit(root, '', places);
  return places.join('\n');
}

function visit(node: TreeNode, pointer: string, places: string[]): void {
  for (const { written, offset, value } of node.entries()) {
    places.push(`${pointer}/${written} @${offset}`);
    if (value !== undefined) visit(value, `${pointer}/${written}`, places);
  }
  for (const [index, item] of node.items().entries()) {
    places.push(`${pointer}/${index} @${item.offset}`);
    if (item !== node) visit(item, `${pointer}/${index}`, places);
  }
}

/** The shortest text found by leaving out lines, then characters, for which the readers still differ. */
export function minimised(reader: YamlReader, text: string): string {
  const differs = (candidate: string): boolean => compare(reader, candidate).is === 'different';
  const byLines = shrunk(text.split('\n'), (lines) => differs(lines.join('\n'))).join('\n');
  return shrunk([...byLines], (characters) => differs(characters.join(''))).join('');
}

function shrunk(parts: readonly string[], holds: (parts: readonly string[]) => boolean): readonly string[] {
  let kept = parts;
  for (let size = Math.ceil(parts.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < kept.length; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (holds(fewer)) kept = fewer;
      else at += size;
    }
  }
  return kept;
}
