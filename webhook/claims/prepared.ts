// SPDX-License-Identifier: Apache-2.0
import type { ImageDigest } from '../../attest/image/index.ts';
import { WebhookError } from '../error.ts';
import type { Proving } from './proving.ts';
import type { ClaimScope } from './scope.ts';

/** What is known of an image now. */
export type Known = { readonly texts: readonly string[] } | { readonly error: Error };

/** What was proved about images, and what is being fetched. */
export interface Prepared {
  /** What is known, undefined where it is not: then it is being fetched, and `done` says when. */
  ask(scope: ClaimScope, image: ImageDigest): Asking;
}

export interface Asking {
  readonly known?: Known;
  /** Resolves with what is known then; absent where it is known, or too many wait for this registry. */
  readonly done?: Promise<Known>;
}

/** Milliseconds, and counts; tests have smaller ones. */
export interface PreparedLimits {
  /** From then on a use lets what is known be fetched anew: something may have been attached since. */
  readonly freshMs: number;
  /** So long it may be used while a registry does not answer. Nothing found, or no answer, is known for `freshMs` only. */
  readonly keptMs: number;
  /** Requests about so many images of one host at once; the others wait, or are refused (Kyverno GHSA-wc3x-5rfv-hh5v). */
  readonly runningPerHost: number;
  readonly waitingPerHost: number;
  readonly entries: number;
  readonly bytes: number;
}

export const PREPARED_LIMITS: PreparedLimits = {
  freshMs: 30_000,
  keptMs: 60 * 60 * 1000,
  runningPerHost: 4,
  waitingPerHost: 256,
  entries: 4_096,
  bytes: 128 * 1024 * 1024,
};

interface Entry {
  known?: Known;
  bytes: number;
  /** When it became known. */
  atMs: number;
  running?: Promise<Known>;
}

interface Host {
  running: number;
  readonly waiting: (() => void)[];
}

/**
 * Keeps what was proved by scope and digest, never by tag. Only what was proved is kept for long; that nothing was found, or nobody
 * answered, is asked again.
 */
export function openPrepared(
  proving: Pick<Proving, 'prove'>,
  nowMs: () => number,
  limits: PreparedLimits = PREPARED_LIMITS,
): Prepared {
  return new Store(proving, nowMs, limits);
}

class Store implements Prepared {
  readonly #proving: Pick<Proving, 'prove'>;
  readonly #nowMs: () => number;
  readonly #limits: PreparedLimits;
  readonly #entries = new Map<string, Entry>();
  readonly #hosts = new Map<string, Host>();
  #bytes = 0;

  constructor(proving: Pick<Proving, 'prove'>, nowMs: () => number, limits: PreparedLimits) {
    this.#proving = proving;
    this.#nowMs = nowMs;
    this.#limits = limits;
  }

  ask(scope: ClaimScope, image: ImageDigest): Asking {
    const key = `${scope.key} ${image.registry}/${image.repository}@${image.digest}`;
    const entry = this.#entries.get(key) ?? { bytes: 0, atMs: 0 };
    // Those that are used are the last to go.
    if (this.#entries.delete(key)) this.#entries.set(key, entry);
    const ageMs = this.#nowMs() - entry.atMs;
    const known = ageMs < this.#keptMs(entry) ? entry.known : undefined;
    if (known !== undefined && ageMs < this.#limits.freshMs) return { known };
    const done = entry.running ?? this.#start(entry, scope, image);
    // Where it may not even wait, nothing is kept of it.
    if (done !== undefined) this.#entries.set(key, entry);
    this.#evict();
    if (known !== undefined) return { known };
    return done === undefined ? { known: { error: crowded() } } : { done };
  }

  #keptMs({ known }: Entry): number {
    const isProof = known !== undefined && 'texts' in known && known.texts.length > 0;
    return isProof ? this.#limits.keptMs : this.#limits.freshMs;
  }

  /** Fetches when the host has a turn; undefined where too many wait for one. */
  #start(entry: Entry, scope: ClaimScope, image: ImageDigest): Promise<Known> | undefined {
    const host = this.#hosts.get(image.registry) ?? { running: 0, waiting: [] };
    this.#hosts.set(image.registry, host);
    if (host.running >= this.#limits.runningPerHost && host.waiting.length >= this.#limits.waitingPerHost)
      return undefined;
    entry.running = this.#turn(host)
      .then(() => this.#proving.prove(scope, image))
      .then(
        (texts): Known => ({ texts }),
        (error: unknown): Known => ({ error: error instanceof Error ? error : broken(error) }),
      )
      .then((known) => {
        this.#next(host);
        return this.#keep(entry, known);
      });
    return entry.running;
  }

  #turn(host: Host): Promise<void> {
    if (host.running < this.#limits.runningPerHost) {
      host.running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => host.waiting.push(resolve));
  }

  #next(host: Host): void {
    const next = host.waiting.shift();
    if (next === undefined) host.running -= 1;
    else next();
  }

  /** A proof outlives a registry that does not answer; that it answers with nothing is news. */
  #keep(entry: Entry, known: Known): Known {
    delete entry.running;
    const isProof = entry.known !== undefined && 'texts' in entry.known && entry.known.texts.length > 0;
    const isKept = isProof && this.#nowMs() - entry.atMs < this.#limits.keptMs;
    if ('error' in known && isKept) return known;
    const bytes = 'texts' in known ? known.texts.reduce((sum, text) => sum + text.length, 0) : 0;
    this.#bytes += bytes - entry.bytes;
    Object.assign(entry, { known, bytes, atMs: this.#nowMs() });
    this.#evict();
    return known;
  }

  /** One that is being fetched stays: it is waited for, and its bytes are still to come. */
  #evict(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) return;
      if (entry.running !== undefined) continue;
      this.#entries.delete(key);
      this.#bytes -= entry.bytes;
      entry.bytes = 0;
    }
  }
}

function crowded(): WebhookError {
  return new WebhookError(
    'CLAIMS_UNAVAILABLE',
    'attestations cannot be had: too many wait for this registry',
    {
      hint: 'try again; if it lasts, look at why the registry is slow',
    },
  );
}

function broken(cause: unknown): WebhookError {
  return new WebhookError('INTERNAL', 'attestations cannot be had: internal error', { cause });
}
