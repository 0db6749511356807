// SPDX-License-Identifier: Apache-2.0
import type { RegoAnnotation, RegoModuleInfo } from '../../../engine/toolchain/rego.ts';

/** A module as the parser describes it, with these rules; a name that ends in `()` is a function. */
export function moduleOf(
  name: string,
  rules: readonly string[],
  more: { readonly file?: string; readonly annotations?: readonly RegoAnnotation[] } = {},
): RegoModuleInfo {
  return {
    file: more.file ?? `${name.replaceAll('.', '/')}.rego`,
    package: name,
    rules: rules.map((rule, index) => ({
      name: rule.replace('()', ''),
      kind: rule.endsWith('()') ? 'function' : 'set',
      line: index + 2,
    })),
    annotations: more.annotations ?? [],
    imports: [],
    builtins: [],
  };
}

/** A whole METADATA block of a package, or of what `path` says. */
export function annotationOf(name: string, part: Partial<RegoAnnotation> = {}): RegoAnnotation {
  return {
    scope: 'package',
    path: `data.${name}`,
    title: 'A title',
    description: 'What it is for.',
    custom: { severity: 'high', controls: ['pss:baseline'], remedy: 'mend it' },
    line: 1,
    ...part,
  };
}
