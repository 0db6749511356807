// SPDX-License-Identifier: Apache-2.0
// The thread of `openProving`: it fetches and proves what is attached to images. Registries are hostile: what they send is read, and
// what is large is parsed, where no connection of the webhook waits for it.
import { parentPort } from 'node:worker_threads';
import { AttestError } from '../../attest/error.ts';
import { type ImageDigest, openProver, type Prover, type ProverParts } from '../../attest/image/index.ts';
import { readClaims } from '../../engine/attested.ts';
import { EngineError } from '../../engine/error.ts';
import { type Told, tell } from '../admission/told.ts';

/** One image to prove; `timeMs` is Unix time, `key` that of the parts. */
export interface Asked {
  readonly ticket: number;
  readonly key: string;
  readonly parts: ProverParts;
  readonly image: ImageDigest;
  readonly timeMs: number;
  readonly timeoutMs: number;
}

/** The claims as text, why there is no answer, or what broke. */
type Said =
  | { readonly texts: readonly string[] }
  | { readonly code: string; readonly message: string }
  | { readonly told: Told };

/** What became of it. */
export type Answered = { readonly ticket: number } & Said;

/** Largest text of all claims about one image, in bytes: an input of a rule is at most a few times as large. */
const MAX_BYTES = 8 * 1024 * 1024;

/** By the key of their scopes; of one the last alone, whose root expires last. */
const provers = new Map<string, { readonly prover: Prover; readonly until: string | undefined }>();

parentPort?.on('message', (asked: Asked) => {
  void answer(asked).then((said) => parentPort?.postMessage({ ticket: asked.ticket, ...said }));
});

async function answer(asked: Asked): Promise<Said> {
  const { image, timeMs, timeoutMs } = asked;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const proved = await proverOf(asked).prove(image, { now: new Date(timeMs), signal });
    const texts =
      readClaims([{ digest: image.digest, claims: proved.claims }]).claims.get(image.digest) ?? [];
    const size = texts.reduce((sum, text) => sum + text.length, 0);
    if (size <= MAX_BYTES) return { texts };
    return { code: 'REGISTRY_CONTENT', message: `the claims about an image have ${size} bytes` };
  } catch (error) {
    if (error instanceof AttestError || error instanceof EngineError)
      return { code: error.code, message: error.message };
    return { told: tell(error) };
  }
}

function proverOf({ key, parts }: Asked): Prover {
  const { trustedRootExpires: until } = parts;
  const known = provers.get(key);
  if (known !== undefined && known.until === until) return known.prover;
  const prover = openProver(parts);
  provers.set(key, { prover, until });
  return prover;
}
