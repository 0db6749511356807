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

/** Checks values against one JSON Schema (draft 2020-12); no fault means the value is valid. */
export function compileSchema(schema: object): (value: unknown) => readonly SchemaFault[] {
  const { Ajv2020 }: typeof import('ajv/dist/2020.js') = load('ajv/dist/2020.js');
  const validate = new Ajv2020({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
  return faultsBy(validate);
}

/** What a validator finds, also one that was compiled before (`scripts/predicates.ts`). */
export function faultsBy(validate: {
  (value: unknown): boolean;
  readonly errors?: readonly ErrorObject[] | null;
}): (value: unknown) => readonly SchemaFault[] {
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map(fault));
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
