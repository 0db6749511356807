// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import type { ValidateFunction } from 'ajv';
import type { TrustedRootLog } from '../log/index.ts';
import schema from './trust.schema.json' with { type: 'json' };
import type { TrustedIdentity, TrustedKey } from './trust.ts';
import rootSchema from './trusted_root.schema.json' with { type: 'json' };

/** A trust file whose shape the schema has seen; keys and dates in it are still text. */
export interface StatedTrust {
  readonly keys: readonly TrustedKey[];
  readonly identities?: readonly TrustedIdentity[];
  readonly logs: readonly { readonly tlogs: readonly TrustedRootLog[] }[];
}

/** A validity as a trusted root has it, RFC 3339. */
export interface StatedValidity {
  readonly start: string;
  readonly end?: string;
}

/** A log of a trusted root; bytes are base64. */
export interface StatedLog {
  readonly baseUrl: string;
  readonly publicKey: {
    readonly rawBytes: string;
    readonly keyDetails: string;
    readonly validFor: StatedValidity;
  };
  readonly logId: { readonly keyId: string };
  readonly checkpointKeyId?: { readonly keyId: string };
}

/** An authority of a trusted root. */
export interface StatedAuthority {
  readonly uri?: string;
  readonly certChain: { readonly certificates: readonly { readonly rawBytes: string }[] };
  readonly validFor: StatedValidity;
}

/** A Sigstore trusted root whose shape the schema has seen. */
export interface StatedRoot {
  readonly tlogs?: readonly StatedLog[];
  readonly ctlogs?: readonly StatedLog[];
  readonly certificateAuthorities?: readonly StatedAuthority[];
  readonly timestampAuthorities?: readonly StatedAuthority[];
}

const MAX_FAULTS = 5;

// Loaded and compiled by the first trust file: what only signs needs neither.
const load = createRequire(import.meta.url);
const trustFile = validator<StatedTrust>(schema);
const trustedRoot = validator<StatedRoot>(rootSchema);

function validator<T>(from: object): () => ValidateFunction<T> {
  let compiled: ValidateFunction<T> | undefined;
  return () => {
    if (compiled === undefined) {
      const { Ajv2020 }: typeof import('ajv/dist/2020.js') = load('ajv/dist/2020.js');
      compiled = new Ajv2020({ allErrors: true, strict: true }).compile<T>(from);
    }
    return compiled;
  };
}

/** Whether a value has the shape of a trust file. */
export const isStated = (value: unknown): value is StatedTrust => trustFile()(value);

/** Whether a value has the shape of a trusted root that says of each log and authority from when it is valid. */
export const isStatedRoot = (value: unknown): value is StatedRoot => trustedRoot()(value);

/** What is wrong with the shape of a trust file, a line a fault and at most five. Member names of the file are quoted. */
export const faultsOf = (value: unknown): string[] => faults(trustFile(), value);

/** The same of a trusted root. */
export const rootFaultsOf = (value: unknown): string[] => faults(trustedRoot(), value);

function faults(
  validate: ValidateFunction<StatedTrust> | ValidateFunction<StatedRoot>,
  value: unknown,
): string[] {
  validate(value);
  return (validate.errors ?? []).slice(0, MAX_FAULTS).map(({ instancePath, message, params }) => {
    const unknown: unknown = params['additionalProperty'];
    const name = typeof unknown === 'string' ? ` ${JSON.stringify(unknown)}` : '';
    return `${JSON.stringify(instancePath || '/')} ${message}${name}`;
  });
}
