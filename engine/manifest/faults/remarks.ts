// SPDX-License-Identifier: Apache-2.0
import type { Remark } from '../document.ts';
import { regionOf } from '../region.ts';
import type { TreeNode } from '../syntax.ts';

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
