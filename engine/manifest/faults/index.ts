// SPDX-License-Identifier: Apache-2.0
// What is wrong with a document, or odd in it, with the place that Kubernetes' reader does not tell: faults of keys, numbers and depth
// (`refine`), escapes that stand for no text (`escapes`), too many aliases (`aliases`), and what YAML 1.1 reads as its author may not
// have meant it (`remarks`).
export { aliasTooMany } from './aliases.ts';
export { refine } from './refine.ts';
export { remarksOn } from './remarks.ts';
