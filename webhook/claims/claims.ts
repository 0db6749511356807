// SPDX-License-Identifier: Apache-2.0
import { attestedImages } from '../../engine/attested.ts';
import type { Change } from '../../engine/index.ts';
import { parseReview } from '../admission/review.ts';
import { WebhookError } from '../error.ts';
import type { Asking, Known, Prepared } from './prepared.ts';
import { type AskedOf, type ClaimScope, claimScope } from './scope.ts';

type Claims = NonNullable<Change['claims']>;

/** Claims about images by their digests, and of whom they were believed. */
export interface Proved {
  readonly claims: Claims;
  readonly trustDigest: string;
}

/** Claims about the images of admissions. */
export interface AdmissionClaims {
  /**
   * What is proved about the images of an admission; undefined where its environment looks for nothing. Rejects with {WebhookError}
   * REQUEST_* | CLAIMS_PENDING (not yet known: it is being fetched) | CLAIMS_UNAVAILABLE
   */
  about(body: Buffer): Promise<Proved | undefined>;
  /** What is asked from now on; undefined: nothing, in no environment. */
  use(askedOf: AskedOf | undefined): void;
}

/** Admissions that wait for registries at once: more would hold all that the server bears. */
const WAITING = 64;
/** No caller waits longer, and a server that stops waits for those that do. */
const WAIT_MS = 30_000;

/** @param now the time by which a trusted root expires @param waitMs how long an admission waits at most, where its environment lets it wait */
export function openClaims(prepared: Prepared, now: () => Date, waitMs: number = WAIT_MS): AdmissionClaims {
  let asked: AskedOf | undefined;
  const scopes = new WeakMap<object, ClaimScope>();
  let waiting = 0;

  async function known(asking: Asking, isLive: boolean): Promise<Known> {
    if (asking.known !== undefined) return asking.known;
    if (asking.done === undefined || !isLive || waiting >= WAITING) throw pending();
    waiting += 1;
    try {
      return await within(asking.done, waitMs);
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
      refuseExpired(scope, now());
      const claims = change.operation === 'DELETE' ? new Map() : await textsOf(scope, change);
      return { claims, trustDigest: scope.trustDigest };
    },
  };
}

/** What was proved under a trusted root is no longer believed when that may not be used any more, however fresh it is. */
function refuseExpired({ parts: { trustedRootExpires: until } }: ClaimScope, now: Date): void {
  if (until === undefined || now < new Date(until)) return;
  throw new WebhookError(
    'CLAIMS_UNAVAILABLE',
    `attestations cannot be had: the trusted root expired at ${until}`,
    {
      hint: 'it is fetched again and again: look at the log of the server for why it cannot be had',
    },
  );
}

/** What comes in time. Rejects with {WebhookError} CLAIMS_PENDING where it does not. */
function within(done: Promise<Known>, waitMs: number): Promise<Known> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(pending()), waitMs);
    void done.then((known) => {
      clearTimeout(timer);
      resolve(known);
    });
  });
}

function pending(): WebhookError {
  return new WebhookError('CLAIMS_PENDING', 'attestations not available yet', {
    hint: 'they are being fetched: try again in some seconds',
  });
}
