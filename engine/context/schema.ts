// SPDX-License-Identifier: Apache-2.0
// The one file of the engine that knows ajv, which is loaded with the first value that is to be checked: most runs have none.
import { createRequire } from 'node:module';
import type { ErrorObject } from 'ajv/dist/2020.js';

const load = createRequire(import.meta.url);

/** One fault that a schema found: where (RFC 6901 pointer into the value) and what. */
export interface SchemaFault {
  readonly pointer: string;
  readonly message: string;
}

/** How texts are matched where a schema is somebody else's; else patterns are JavaScript's and formats are not looked at. */
export interface Matching {
  /** Throws for a pattern that is none. */
  readonly patternOf: (pattern: string) => { test(text: string): boolean; toString(): string };
  readonly formatOf: (name: string) => ((text: string) => boolean) | undefined;
}

/** Checks values against one JSON Schema (draft 2020-12); no fault means the value is valid. */
export function compileSchema(
  schema: object,
  matching?: Matching,
): (value: unknown) => readonly SchemaFault[] {
  const { Ajv2020 }: typeof import('ajv/dist/2020.js') = load('ajv/dist/2020.js');
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    logger: false,
    validateFormats: matching !== undefined,
    ...(matching === undefined
      ? {}
      : { code: { regExp: engineOf(matching) }, formats: formatsOf(matching, schema) }),
  });
  return faultsBy(ajv.compile(schema));
}

/** What a validator finds, also one that was compiled before (`scripts/predicates.ts`). */
export function faultsBy(validate: {
  (value: unknown): boolean;
  readonly errors?: readonly ErrorObject[] | null;
}): (value: unknown) => readonly SchemaFault[] {
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(fault));
}

/** `code` would stand in generated modules, which are not made. */
const engineOf = ({ patternOf }: Matching) =>
  Object.assign((pattern: string) => patternOf(pattern), { code: 'none' });

/** Ajv asks for formats by name, and names are written in several ways: all that stand in the schema. */
function formatsOf(
  { formatOf }: Pick<Matching, 'formatOf'>,
  schema: object,
): Record<string, (text: string) => boolean> {
  const found: Record<string, (text: string) => boolean> = {};
  for (const [key, value] of Object.entries(schema)) {
    const format = key === 'format' && typeof value === 'string' ? formatOf(value) : undefined;
    if (format !== undefined) found[value] = format;
    if (typeof value === 'object' && value !== null) Object.assign(found, formatsOf({ formatOf }, value));
  }
  return found;
}

function fault(error: ErrorObject): SchemaFault {
  const parameters: Record<string, unknown> = error.params;
  const unknown = parameters['additionalProperty'];
  if (typeof unknown === 'string') {
    const key = unknown.replaceAll('~', '~0').replaceAll('/', '~1');
    return { pointer: `${error.instancePath}/${key}`, message: `unknown key ${JSON.stringify(unknown)}` };
  }
  const allowed =
    parameters['allowedValues'] ?? (error.keyword === 'const' ? [parameters['allowedValue']] : undefined);
  const detail = allowed === undefined ? '' : `: ${JSON.stringify(allowed)}`;
  return { pointer: error.instancePath, message: `${error.message ?? error.keyword}${detail}` };
}
