// SPDX-License-Identifier: Apache-2.0
import { parseStrict } from '../json.ts';
import { members, textOf } from '../verify/shape.ts';

/** What the signature of an image, of cosign's older kind, is over. */
export interface SimpleSigning {
  /** `sha256:…`: the one digest that it is about. */
  readonly digest: string;
  /** What the signer wrote beside it. */
  readonly optional: Readonly<Record<string, unknown>>;
}

const TYPE = 'cosign container image signature';

/**
 * Reads the signed payload, or undefined. What `critical` holds besides must not be passed over, as its name says.
 * @see https://github.com/containers/image/blob/main/docs/containers-signature.5.md
 */
export function readSimpleSigning(payload: Uint8Array): SimpleSigning | undefined {
  const whole = parseStrict(payload)?.value;
  const stated = members(whole, ['critical', 'optional']) ?? members(whole, ['critical']);
  const critical = members(stated?.['critical'], ['identity', 'image', 'type']);
  const image = members(critical?.['image'], ['docker-manifest-digest']);
  const digest = textOf(image?.['docker-manifest-digest']);
  if (critical?.['type'] !== TYPE || digest === undefined || !/^sha256:[0-9a-f]{64}$/.test(digest))
    return undefined;
  const { optional } = stated ?? {};
  return { digest, optional: isRecord(optional) ? optional : {} };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
