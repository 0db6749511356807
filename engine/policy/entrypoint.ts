// SPDX-License-Identifier: Apache-2.0
import type { RegoSource } from '../toolchain/rego.ts';
import type { Entry, Style } from './rule.ts';

/** The package that is generated around a policy; its file name cannot come from a folder of sources. */
export const ENTRYPOINT_PACKAGE = 'countersign.entrypoint';

/** The path of the generated rule that returns every result of one style, as the WASM module names it. */
export const entrypointOf = (style: Style): string => `countersign/entrypoint/${style}`;

const reference = (path: readonly string[]): string =>
  `data${path.map((segment) => `[${JSON.stringify(segment)}]`).join('')}`;

/**
 * One object of all results, so that an object is parsed once and evaluated once. Only a result that is not the empty set is
 * returned; a result of a wrong type (`deny := true`) is not the empty set, so it is seen and refused, never read as a pass.
 */
function ruleOf(entry: Entry): string {
  const parameters =
    entry.rule.parameters === undefined
      ? ''
      : ` with input.parameters as ${reference(['countersign', 'parameters', entry.rule.code])}`;
  return [
    `${entry.rule.style}[${JSON.stringify(entry.key)}] := value if {`,
    `\tvalue := ${reference(entry.path)}${parameters}`,
    '\tvalue != set()',
    '}',
  ].join('\n');
}

/** The generated module for these entries. */
export function entrypointSource(entries: readonly Entry[]): RegoSource {
  return {
    file: '<countersign entrypoint>',
    text: [`package ${ENTRYPOINT_PACKAGE}`, 'import rego.v1', ...entries.map(ruleOf)].join('\n\n'),
  };
}

/** The styles that these entries have, in a fixed order. */
export function stylesOf(entries: readonly Entry[]): readonly Style[] {
  const styles: readonly Style[] = ['native', 'conftest'];
  return styles.filter((style) => entries.some((entry) => entry.rule.style === style));
}
