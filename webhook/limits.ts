// SPDX-License-Identifier: Apache-2.0

/** What the server bears. Every caller is treated as hostile: anything on the cluster's network may reach the port. */
export interface Limits {
  /** Largest body: object and oldObject at 3 MiB each, which is what an API server takes, and 1 MiB for the rest. */
  readonly maxBodyBytes: number;
  /** Bytes of bodies held at once; beyond it a request gets HTTP 503 before it is read. */
  readonly maxHeldBytes: number;
  readonly maxHeaderBytes: number;
  /** Admissions between their last byte and their answer; beyond it the answer is a refusal, OVERLOADED. */
  readonly maxInFlight: number;
  readonly maxConnections: number;
  /** For a TLS handshake, the headers and the whole request; a slower client is cut. */
  readonly handshakeTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** How often slow clients are looked for. */
  readonly checkIntervalMs: number;
  /** Above the 90 s after which the API server's client gives up an idle connection, so that we never close one it is about to use. */
  readonly keepAliveTimeoutMs: number;
  /** A connection on which nothing moves, as when a client does not read its answer. */
  readonly idleTimeoutMs: number;
  /** Where the caller names no `timeout`, what the API server waits by default. */
  readonly answerTimeoutMs: number;
  /** By how much we answer before the caller gives up, so that it hears the reason. */
  readonly answerMarginMs: number;
  /** How often `renew` is asked for a newer certificate. */
  readonly renewIntervalMs: number;
  /** From the first failing /readyz to closing the port: what a cluster takes to stop sending requests. */
  readonly drainDelayMs: number;
  /** From then on, how long requests in flight may take. */
  readonly drainTimeoutMs: number;
  /** Of checks of whole sets, in place of those for admissions. */
  readonly check: {
    /** Files are written in base64: three quarters of it. */
    readonly maxBodyBytes: number;
    readonly maxHeldBytes: number;
    /** From their headers to their answer; one at a time is judged, and more get HTTP 503. */
    readonly maxInFlight: number;
    /** From the headers to the end of the judgement. */
    readonly timeoutMs: number;
  };
}

const MIB = 1024 * 1024;

/**
 * How large sets may be in a container of so many bytes of memory (0 or very many: none is set): a set takes some 45 times its size
 * while it is judged, and the rest of the server less than 512 MiB. One that does not fit would end admission too.
 */
export function checkBounds(memory: number): Pick<Limits['check'], 'maxBodyBytes' | 'maxHeldBytes'> {
  const room = memory === 0 ? Number.POSITIVE_INFINITY : Math.floor((memory - 512 * MIB) / 48);
  const maxBodyBytes = Math.min(32 * MIB, Math.max(MIB, room));
  return { maxBodyBytes, maxHeldBytes: 4 * maxBodyBytes };
}

export const DEFAULT_LIMITS: Limits = {
  maxBodyBytes: 7 * MIB,
  maxHeldBytes: 256 * MIB,
  maxHeaderBytes: 16 * 1024,
  maxInFlight: 1000,
  maxConnections: 2000,
  handshakeTimeoutMs: 10_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  checkIntervalMs: 1000,
  keepAliveTimeoutMs: 120_000,
  idleTimeoutMs: 150_000,
  answerTimeoutMs: 10_000,
  answerMarginMs: 500,
  renewIntervalMs: 12 * 60 * 60 * 1000,
  drainDelayMs: 0,
  drainTimeoutMs: 25_000,
  check: { maxBodyBytes: 32 * MIB, maxHeldBytes: 128 * MIB, maxInFlight: 16, timeoutMs: 60_000 },
};
