// SPDX-License-Identifier: Apache-2.0
import { attestedImages } from '../../engine/attested.ts';
import type { Change } from '../../engine/index.ts';
import { parseReview } from '../admission/review.ts';
import { WebhookError } from '../error.ts';
import type { Asking, Known, Prepared } from './prepared.ts';
import { type AskedOf, type ClaimScope, claimScope } from './scope.ts';

type Claims = NonNullable<Change['claims']>;

/** Claims about the images of admissions. */
export interface AdmissionClaims {
  /**
   * What is proved about the images of an admission; undefined where its environment looks for nothing. Rejects with {WebhookError}
   * REQUEST_* | CLAIMS_PENDING (not yet known: it is being fetched) | CLAIMS_UNAVAILABLE
   */
  about(body: Buffer): Promise<Claims | undefined>;
  /** What is asked from now on; undefined: nothing, in no environment. */
  use(askedOf: AskedOf | undefined): void;
}

/** Admissions that wait for registries at once: more would hold all that the server bears. */
const WAITING = 64;

export function openClaims(prepared: Prepared): AdmissionClaims {
  let asked: AskedOf | undefined;
  const scopes = new WeakMap<object, ClaimScope>();
  let waiting = 0;

  async function known(asking: Asking, isLive: boolean): Promise<Known> {
    if (asking.known !== undefined) return asking.known;
    if (asking.done === undefined || !isLive || waiting >= WAITING) throw pending();
    waiting += 1;
    try {
      return await asking.done;
    } finally {
      waiting -= 1;
    }
  }

  async function textsOf(scope: ClaimScope, change: Change): Promise<Claims> {
    const images = attestedImages(change.documents, scope.registries);
    // All are begun before one is waited for.
    const askings = images.map((image) => [image.digest, prepared.ask(scope, image)] as const);
    const found = new Map<string, Set<string>>();
    for (const [digest, asking] of askings) {
      const said = await known(asking, scope.isLive);
      if ('error' in said) throw said.error;
      found.set(digest, new Set([...(found.get(digest) ?? []), ...said.texts]));
    }
    return new Map([...found].map(([digest, texts]) => [digest, [...texts].sort()]));
  }

  return {
    use: (askedOf) => {
      asked = askedOf;
    },
    async about(body) {
      // A body is read twice only where somebody asks.
      if (asked === undefined) return undefined;
      const { change } = parseReview(body);
      const stated = asked(change.namespace);
      if (stated === undefined) return undefined;
      const scope = scopes.get(stated) ?? claimScope(stated);
      scopes.set(stated, scope);
      return change.operation === 'DELETE' ? new Map() : textsOf(scope, change);
    },
  };
}

function pending(): WebhookError {
  return new WebhookError('CLAIMS_PENDING', 'attestations not available yet', {
    hint: 'they are being fetched: try again in some seconds',
  });
}
