// SPDX-License-Identifier: Apache-2.0
import type { YamlFault } from '../toolchain/yaml.ts';
import type { Remark } from './document.ts';
import { mergedMaps } from './locate.ts';
import { type Place, type Region, regionOf } from './region.ts';
import { deepestAt, type TreeEntry, type TreeNode, tokensOf } from './syntax.ts';

const DEPTH_MAX = 100;

/** The fault with the place, and for keys the name, that Kubernetes' reader does not tell. */
export function refine(fault: YamlFault, bytes: Uint8Array): YamlFault {
  const region = regionOf(bytes, [fault.start, fault.end]);
  switch (fault.code) {
    case 'INPUT_DUPLICATE_KEY':
      return refineKey(fault, region);
    case 'INPUT_NUMBER':
      return placed(fault, region, firstNumber(region.tree()));
    case 'INPUT_TOO_DEEP':
      return placed(fault, region, deepestAt(region.text, DEPTH_MAX));
    case 'INPUT_SYNTAX':
      return fault.message.startsWith('a second document')
        ? placed(fault, region, afterDocumentEnd(region.text))
        : fault;
    default:
      return fault;
  }
}

const placed = (fault: YamlFault, region: Region, offset: number | undefined): YamlFault =>
  offset === undefined ? fault : { ...fault, ...region.place(offset) };

function refineKey(fault: YamlFault, region: Region): YamlFault {
  const root = region.tree();
  const found = root === undefined ? undefined : firstDuplicate(root);
  if (found === undefined) return fault;
  const message = `key ${JSON.stringify(found.key)} is set twice${found.byMerge ? ', once by a merge' : ''}`;
  return { ...placed(fault, region, found.offset), message };
}

interface Duplicate {
  readonly key: string;
  readonly offset: number;
  readonly byMerge: boolean;
}

function firstDuplicate(node: TreeNode): Duplicate | undefined {
  const own = node.kind === 'map' ? duplicateIn(node.entries()) : undefined;
  if (own !== undefined) return own;
  for (const child of childrenOf(node)) {
    const found = firstDuplicate(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

const childrenOf = (node: TreeNode): readonly TreeNode[] =>
  node.kind === 'map'
    ? node.entries().flatMap(({ value }) => (value === undefined ? [] : [value]))
    : node.items();

function duplicateIn(entries: readonly TreeEntry[]): Duplicate | undefined {
  const seen = new Map<string, boolean>();
  for (const entry of entries) {
    const keys = entry.isMerge
      ? [...new Set(mergedMaps(entry).flatMap((map) => keysOf(map, DEPTH_MAX)))]
      : [entry.key];
    for (const key of keys) {
      const byMerge = seen.get(key);
      if (byMerge !== undefined) return { key, offset: entry.offset, byMerge: byMerge || entry.isMerge };
    }
    for (const key of keys) seen.set(key, entry.isMerge);
  }
  return undefined;
}

const keysOf = (map: TreeNode, depth: number): readonly string[] =>
  depth === 0
    ? []
    : map
        .entries()
        .flatMap((entry) =>
          entry.isMerge ? mergedMaps(entry).flatMap((merged) => keysOf(merged, depth - 1)) : [entry.key],
        );

const INT64_LIMIT = 2n ** 63n;

function firstNumber(node: TreeNode | undefined): number | undefined {
  if (node === undefined) return undefined;
  if (isBeyond(node.value)) return node.offset;
  for (const child of childrenOf(node)) {
    const found = firstNumber(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isBeyond = (value: unknown): boolean =>
  typeof value === 'bigint'
    ? value >= INT64_LIMIT || value < -INT64_LIMIT
    : typeof value === 'number' && !(Math.abs(value) < 2 ** 63);

/** The first content after a line of `...`. */
function afterDocumentEnd(text: string): number | undefined {
  let hasEnded = false;
  for (const { type, offset } of tokensOf(text)) {
    if (type === 'doc-end') hasEnded = true;
    else if (hasEnded && type !== 'newline' && type !== 'space' && type !== 'comment') return offset;
  }
  return undefined;
}

const ALIAS_MAX = 100;
const STAR = 0x2a;

/** The place of the alias of a YAML document that is one too many, if there are more than 100. */
export function aliasTooMany(
  bytes: Uint8Array,
  range: readonly [start: number, end: number],
): Place | undefined {
  if (!mayHaveMoreAliases(bytes.subarray(...range))) return undefined;
  const region = regionOf(bytes, range);
  let count = 0;
  for (const { type, offset } of tokensOf(region.text)) {
    if (type === 'alias' && ++count > ALIAS_MAX) return region.place(offset);
  }
  return undefined;
}

/** An upper bound that costs nothing where there are few stars: `*` before a character that is no space. */
function mayHaveMoreAliases(bytes: Uint8Array): boolean {
  let count = 0;
  for (let at = bytes.indexOf(STAR); at >= 0 && count <= ALIAS_MAX; at = bytes.indexOf(STAR, at + 1)) {
    if ((bytes[at + 1] ?? 0x20) > 0x20) count++;
  }
  return count > ALIAS_MAX;
}

/** As a plain scalar these are booleans in YAML 1.1, and text in YAML 1.2. */
const WORDS = '[yYnN]|[yY]es|YES|[nN]o|NO|[oO]n|ON|[oO]ff|OFF';
const WORD = new RegExp(`^(?:${WORDS})$`);
const OCTAL = /^[-+]?0[0-7_]*[0-7]$/;
/** What cannot be in a text of which nothing is to be said; npm's yaml need not look at it then. */
const MAYBE = new RegExp(
  `(?:^|[\\s,[{:&!-])(?:${WORDS}|[-+]?0[0-7_]+|[-+]?\\d[0-9a-fA-FxobXOB_.eE+-]*:)(?=$|[\\s,\\]}:])`,
  'm',
);

/** The scalars of a YAML document that YAML 1.1 takes for booleans or octals. Octals are not quoted: they may stand in a Secret. */
export function remarksOn(
  bytes: Uint8Array,
  range: readonly [start: number, end: number],
): readonly Remark[] {
  const region = regionOf(bytes, range);
  const root = MAYBE.test(region.text) ? region.tree() : undefined;
  const remarks: Remark[] = [];
  if (root !== undefined) remark(root, '', remarks);
  return remarks;
}

function remark(node: TreeNode, pointer: string, into: Remark[]): void {
  const { written, value } = node;
  if (written !== undefined && typeof value !== 'string') {
    if (WORD.test(written))
      into.push({
        pointer,
        message: `${JSON.stringify(written)} is read as ${value}`,
        hint: `write ${value}, or quote it if it is text`,
      });
    else if (OCTAL.test(written))
      into.push({
        pointer,
        message: 'a number that begins with 0 is read as an octal',
        hint: 'write the decimal number, or quote it if it is text',
      });
  }
  node.items().forEach((item, index) => {
    remark(item, `${pointer}/${index}`, into);
  });
  for (const entry of node.entries()) {
    const at = `${pointer}/${entry.key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (entry.key !== entry.written && !entry.isMerge)
      into.push({
        pointer: at,
        message: `key ${JSON.stringify(entry.written)} is read as ${JSON.stringify(entry.key)}`,
        hint: 'quote it',
      });
    if (entry.value !== undefined) remark(entry.value, at, into);
  }
}
