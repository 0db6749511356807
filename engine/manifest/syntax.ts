// SPDX-License-Identifier: Apache-2.0
// The one file that uses npm's yaml. It tells where things are, never what they are: values come from Kubernetes' reader.
// Its lexer keeps its state in a list and is safe for any input. Its composer recurses and aborts the process at some 900
// levels, so `treeOf` composes only what `deepestAt` finds shallow. It is loaded when it is first needed: most runs never do.
import { createRequire } from 'node:module';
import type { Document, Node } from 'yaml';

const load = createRequire(import.meta.url);
let loaded: typeof import('yaml') | undefined;

function npmYaml(): typeof import('yaml') {
  const found: typeof import('yaml') = loaded ?? load('yaml');
  loaded = found;
  return found;
}

/** A lexical token: its type by npm yaml's name, and where it begins in UTF-16 code units. */
export interface Token {
  readonly type: string | null;
  readonly offset: number;
  readonly text: string;
}

/** The tokens of a text, in order; the text of a plain or block scalar is one of type `text`. */
export function* tokensOf(text: string): Generator<Token> {
  const { CST, Lexer } = npmYaml();
  // Tokens that stand for no character of the text.
  const marks: ReadonlySet<string> = new Set([CST.DOCUMENT, CST.FLOW_END, CST.SCALAR]);
  let offset = 0;
  let isText = false;
  for (const token of new Lexer().lex(text)) {
    const isMark: boolean = !isText && marks.has(token);
    if (!isMark) yield { type: isText ? 'text' : CST.tokenType(token), offset, text: token };
    isText = isMark && token === CST.SCALAR;
    offset += isMark ? 0 : token.length;
  }
}

/** A node of the syntax tree; children are made when they are asked for. */
export interface TreeNode {
  /** Where its first character is, after its tag and anchor. */
  readonly offset: number;
  readonly kind: 'map' | 'seq' | 'scalar' | 'alias';
  readonly value?: unknown;
  /** A plain scalar as it is written. */
  readonly written?: string;
  entries(): readonly TreeEntry[];
  items(): readonly TreeNode[];
  /** What an alias stands for; the node itself for all others. */
  target(): TreeNode | undefined;
}

/** A member of a mapping. */
export interface TreeEntry {
  /** The key as text, as in JSON. */
  readonly key: string;
  /** The key as it is written; they differ in `yes:`, which is the key "true". */
  readonly written: string;
  readonly offset: number;
  readonly isMerge: boolean;
  /** What the key is, where it is no text. */
  readonly isNoText?: 'null' | 'a boolean' | 'a number' | 'a collection';
  readonly value: TreeNode | undefined;
}

/** Beyond this a text is not composed; what our reader accepts is at most 100 deep, and a few more by merges. */
const COMPOSE_MAX_DEPTH = 250;

/** The tree of a text's first document; undefined when there is none, or it is too deep or too odd for npm's yaml. */
export function treeOf(text: string): TreeNode | undefined {
  if (deepestAt(text, COMPOSE_MAX_DEPTH) !== undefined) return undefined;
  try {
    const tree = npmYaml().parseDocument(text, {
      version: '1.1',
      merge: true,
      uniqueKeys: false,
      strict: false,
      intAsBigInt: true,
      prettyErrors: false,
      logLevel: 'silent',
    });
    return tree.contents === null ? undefined : nodeOf(tree.contents, tree);
  } catch {
    return undefined;
  }
}

function nodeOf(node: Node, tree: Document): TreeNode {
  const { isAlias, isMap, isScalar, isSeq } = npmYaml();
  let entries: readonly TreeEntry[] | undefined;
  let items: readonly TreeNode[] | undefined;
  const self: TreeNode = {
    offset: node.range?.[0] ?? 0,
    kind: isMap(node) ? 'map' : isSeq(node) ? 'seq' : isAlias(node) ? 'alias' : 'scalar',
    ...(isScalar(node) ? { value: node.value } : {}),
    ...(isScalar(node) && node.type === 'PLAIN' && node.source !== undefined ? { written: node.source } : {}),
    // Each is made once: whoever looks for many places walks through the same siblings each time.
    entries: () => {
      entries ??= isMap(node) ? node.items.map(({ key, value }) => entryOf(key, value, tree)) : [];
      return entries;
    },
    items: () => {
      items ??= isSeq(node) ? node.items.map((item) => childOf(item, tree) ?? self) : [];
      return items;
    },
    target: () => {
      if (!isAlias(node)) return self;
      const resolved = node.resolve(tree);
      return resolved === undefined ? undefined : nodeOf(resolved, tree);
    },
  };
  return self;
}

function entryOf(key: unknown, value: unknown, tree: Document): TreeEntry {
  const { isAlias, isScalar } = npmYaml();
  const node = isAlias(key) ? key.resolve(tree) : key;
  const written = isScalar(node) ? (node.source ?? '') : '';
  const isNoText = isScalar(node) ? noText(node.value, written) : 'a collection';
  return {
    ...(isNoText === undefined ? {} : { isNoText }),
    key: isScalar(node) ? keyText(node.value, written) : written,
    written,
    offset: rangeStart(key),
    isMerge: isScalar(node) && written === '<<' && node.type === 'PLAIN',
    value: childOf(value, tree),
  };
}

/** Items of `!!pairs` and `!!omap` are pairs, which are no nodes; nothing below them is looked for. */
function childOf(value: unknown, tree: Document): TreeNode | undefined {
  const { isAlias, isMap, isScalar, isSeq } = npmYaml();
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value) ? nodeOf(value, tree) : undefined;
}

function rangeStart(node: unknown): number {
  const { isAlias, isMap, isScalar, isSeq } = npmYaml();
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? (node.range?.[0] ?? 0) : 0;
}

const keyText = (value: unknown, written: string): string =>
  typeof value === 'string' ||
  typeof value === 'boolean' ||
  typeof value === 'bigint' ||
  typeof value === 'number'
    ? String(value)
    : written;

/** Times, sixties and what only looks like an exponent are text for Kubernetes' reader, and `0o17` is a number. */
function noText(value: unknown, written: string): TreeEntry['isNoText'] {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'a boolean';
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  return (isNumber && /^[-+.\d][^:]*$/.test(written)) || /^[-+]?0o[0-7_]+$/.test(written)
    ? 'a number'
    : undefined;
}

/**
 * Where a text first nests deeper than `levels`, in any of its documents; undefined when nowhere.
 *
 * A level is an open bracket, or an indentation inside another. A sequence that is not indented in its mapping counts as
 * one with it, so block nesting may be up to twice as deep as what is counted.
 */
export function deepestAt(text: string, levels: number): number | undefined {
  const columns: number[] = [];
  let flow = 0;
  let lineStart = 0;
  let isFirst = true;
  for (const { type, offset, text: token } of tokensOf(text)) {
    if (type === 'newline') {
      lineStart = offset + token.length;
      isFirst = true;
    } else if (type === 'flow-seq-start' || type === 'flow-map-start') {
      flow++;
    } else if (type === 'flow-seq-end' || type === 'flow-map-end') {
      flow--;
    }
    if (type === 'space' || type === 'newline' || type === 'comment') continue;
    const isIndicator = type === 'seq-item-ind' || type === 'explicit-key-ind';
    if (flow <= 0 && (isFirst || isIndicator)) indent(columns, offset - lineStart);
    isFirst = isIndicator;
    if (columns.length + flow > levels) return offset;
  }
  return undefined;
}

function indent(columns: number[], column: number): void {
  while ((columns.at(-1) ?? -1) >= column) columns.pop();
  columns.push(column);
}
