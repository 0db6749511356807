// SPDX-License-Identifier: Apache-2.0
import { readDocuments } from '../../manifest/index.ts';
import { tokensOf } from '../../manifest/syntax.ts';
import type { YamlReader } from '../../toolchain/yaml.ts';
import { type ExactJson, parseExact } from './json.ts';

/** Words that are booleans to Kubernetes' reader, which we use, and text to OPA's. */
const DIFFERENT = /^(?:y|n|yes|no|on|off)$/i;

/**
 * The value of a YAML file of data, one document.
 * @throws {SyntaxError} for more than one, and for a word that OPA would read otherwise: data that means one thing in a test with OPA
 *   and another here would be a rule that silently does not fire
 * @throws {EngineError} INPUT_…
 */
export function yamlValue(bytes: Uint8Array, label: string, reader: YamlReader): ExactJson {
  const [document, second] = readDocuments([{ name: label, bytes }], reader);
  if (document === undefined || second !== undefined || document.pointer !== '')
    throw new SyntaxError('it holds more than one document');
  for (const { type, text } of tokensOf(Buffer.from(bytes).toString('utf8')))
    if (type === 'text' && DIFFERENT.test(text))
      throw new SyntaxError(`${JSON.stringify(text)} is a boolean to some and text to others: quote it`);
  return parseExact(Buffer.from(document.json).toString('utf8'));
}
