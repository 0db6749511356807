// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import type { ValidateFunction } from 'ajv';
import type { TrustedRootLog } from '../log/index.ts';
import schema from './trust.schema.json' with { type: 'json' };
import type { TrustedKey } from './trust.ts';

/** A trust file whose shape the schema has seen; keys and dates in it are still text. */
export interface StatedTrust {
  readonly keys: readonly TrustedKey[];
  readonly logs: readonly { readonly tlogs: readonly TrustedRootLog[] }[];
}

const MAX_FAULTS = 5;

// Loaded and compiled by the first trust file: what only signs needs neither.
const load = createRequire(import.meta.url);
let compiled: ValidateFunction<StatedTrust> | undefined;

function validator(): ValidateFunction<StatedTrust> {
  if (compiled === undefined) {
    const { Ajv2020 }: typeof import('ajv/dist/2020.js') = load('ajv/dist/2020.js');
    compiled = new Ajv2020({ allErrors: true, strict: true }).compile<StatedTrust>(schema);
  }
  return compiled;
}

/** Whether a value has the shape of a trust file. */
export function isStated(value: unknown): value is StatedTrust {
  return validator()(value);
}

/** What is wrong with the shape, a line a fault and at most five. Member names of the file are quoted. */
export function faultsOf(value: unknown): string[] {
  const validate = validator();
  validate(value);
  return (validate.errors ?? []).slice(0, MAX_FAULTS).map(({ instancePath, message, params }) => {
    const unknown: unknown = params['additionalProperty'];
    const name = typeof unknown === 'string' ? ` ${JSON.stringify(unknown)}` : '';
    return `${JSON.stringify(instancePath || '/')} ${message}${name}`;
  });
}
