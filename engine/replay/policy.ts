// SPDX-License-Identifier: Apache-2.0
// A loaded policy as bytes, and back: what a record was decided by must be there when it is to be decided again.
import { EngineError } from '../error.ts';
import { openPolicy, type PackedPolicy } from '../parts.ts';
import type { Policy, PolicyParts } from '../policy/policy.ts';
import type { BuiltinServer } from '../rego/index.ts';

const FORMAT = 'countersign.dev/v1alpha1 KeptPolicy';

const BYTES = 'base64:';

/** The JSON of a policy's parts: module, entries, parameters and data. What is derived from them is not among them. */
export function policyBytes({ parts, data }: PackedPolicy): Uint8Array {
  const lean = parts.kind === 'compiled' ? withoutMeter(parts) : parts;
  const text = JSON.stringify({ format: FORMAT, parts: lean, data }, (_key, value: unknown) => {
    if (value instanceof Set) return [...value];
    // Buffer has a toJSON of its own, which has been called before.
    return value instanceof Uint8Array ? BYTES + Buffer.from(value).toString('base64') : value;
  });
  return new TextEncoder().encode(text);
}

function withoutMeter(parts: Extract<PolicyParts, { kind: 'compiled' }>): PolicyParts {
  const { metered: _metered, wasm, ...compiled } = parts.compiled;
  return { ...parts, compiled: { ...compiled, wasm: Uint8Array.from(wasm) } };
}

/**
 * Loads a policy from its bytes and holds it against the digest that a record names, which covers module and data.
 * @throws {EngineError} POLICY_MODULE | POLICY_BUILTIN | POLICY_DATA
 */
export function readPolicy(bytes: Uint8Array, digest: string, builtins: BuiltinServer): Policy {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'), (key: string, item: unknown) => {
    if (typeof item === 'string' && (key === 'wasm' || key === 'bytes') && item.startsWith(BYTES))
      return new Uint8Array(Buffer.from(item.slice(BYTES.length), 'base64'));
    return key === 'answered' && Array.isArray(item) ? new Set(item) : item;
  });
  if (!isKept(value)) throw changed(digest);
  const policy = openPolicy({ digest, parts: value.parts, data: value.data }, builtins);
  if (policy.reference.digest === digest) return policy;
  throw changed(digest);
}

const isKept = (value: unknown): value is { readonly parts: PolicyParts; readonly data: string } =>
  Reflect.get(Object(value), 'format') === FORMAT;

const changed = (digest: string): EngineError =>
  new EngineError('POLICY_MODULE', `what is kept as policy sha256:${digest} is not that policy`, {
    hint: 'restore inputs.sqlite3 from a backup, or name policies with --policy',
  });
