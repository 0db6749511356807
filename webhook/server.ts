// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { openEndpoint } from './admission/endpoint.ts';
import type { Admission } from './admission/handler.ts';
import { type CheckService, openCheckEndpoint } from './checking/index.ts';
import { WebhookError } from './error.ts';
import { checkBounds, DEFAULT_LIMITS, type Limits } from './limits.ts';
import { failureEvent, type Log } from './log.ts';
import { type Metrics, openMetrics } from './metrics.ts';
import { createRoutes } from './routes.ts';

/** A server's key and certificate, PEM. */
export interface TlsIdentity {
  readonly key: string;
  readonly cert: string;
}

/** Everything a webhook server is given; judge, clock and randomness come from the edge. */
export interface ServerOptions extends Admission {
  /** Address to listen on, such as `127.0.0.1`, `::` or `localhost`. */
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly tls: TlsIdentity;
  /** Asked from time to time while the server runs: the certificate to serve with from now on. */
  readonly renew?: () => Promise<TlsIdentity>;
  /** Loads the policies anew from time to time; when it fails, whatever judged before judges on. */
  readonly refresh?: {
    readonly intervalMs: number;
    readonly run: () => Promise<void>;
    /** Whether some policies were good before. */
    readonly hasGood: () => boolean;
  };
  /** Checks sets of objects for jobs; absent: none. */
  readonly checks?: CheckService;
  readonly log: Log;
  /** Reasons why nothing can be judged now, such as a ledger that does not open; empty when all is well. */
  readonly notReady?: () => readonly string[];
  /** Called after the last answer: closes the ledger. */
  readonly release?: () => Promise<void>;
  readonly metricsToken?: string;
  readonly limits?: Partial<Limits>;
  /** Bytes of memory that the process may take; 0 or absent where nothing limits it. */
  readonly memory?: number;
}

/** A running server. */
export interface WebhookServer {
  /** `https://host:port` as it listens. */
  readonly url: string;
  readonly port: number;
  /** New connections get this certificate; those that are open stay. */
  useCertificate(tls: TlsIdentity): void;
  /**
   * Fails `/readyz`, stops accepting, finishes what is in flight, closes what is left and calls `release`. Resolves when
   * all is done; called again it waits for the same end.
   */
  stop(): Promise<void>;
}

const ADMIT_PATH = /^\/v1\/admit(?:\?|$)/;
const CHECK_PATH = /^\/v1\/check(?:\?|$)/;
const MIN_VERSION = 'TLSv1.2';

/**
 * Starts the webhook on https and resolves when it accepts connections.
 * @throws {WebhookError} CERTIFICATE_UNUSABLE | LISTEN_FAILED
 */
export async function startServer(options: ServerOptions): Promise<WebhookServer> {
  const o = { ...options, log: harmless(options.log) };
  const check = { ...DEFAULT_LIMITS.check, ...checkBounds(o.memory ?? 0) };
  const limits: Limits = { ...DEFAULT_LIMITS, check, ...o.limits };
  const metrics = openMetrics();
  const state: { draining: boolean; refresh: Promise<void> | undefined } = {
    draining: false,
    refresh: undefined,
  };
  const notReady = (): readonly string[] => [
    ...(state.draining ? ['draining'] : []),
    ...(o.notReady?.() ?? []),
  ];
  const endpoint = openEndpoint({
    admission: counted(o, metrics),
    limits,
    metrics,
    log: o.log,
    // What comes in on an open connection while we drain is still answered.
    notReady: () => o.notReady?.() ?? [],
    isDraining: () => state.draining,
  });
  const checks = openCheckEndpoint({
    service: o.checks,
    limits,
    metrics,
    log: o.log,
    notReady: () => o.notReady?.() ?? [],
    isDraining: () => state.draining,
    now: o.now,
    newId: o.newId,
  });
  const { metricsToken } = o;
  const routes = createRoutes({ metrics, log: o.log, notReady, ...(metricsToken ? { metricsToken } : {}) });
  const server = httpsServer(o.tls, limits);
  const traffic = watch(server);
  server.on('request', (request, response) => {
    if (ADMIT_PATH.test(request.url ?? '')) endpoint.handle(request, response);
    else if (CHECK_PATH.test(request.url ?? '')) checks.handle(request, response);
    else routes(request, response);
  });
  const port = await listen(server, o.host, o.port);
  // Such as no file descriptor left for a connection: that caller is turned away, the server goes on.
  server.on('error', (error) => o.log(failureEvent(error, {})));
  const url = `https://${o.host.includes(':') ? `[${o.host}]` : o.host}:${port}`;
  o.log({ level: 'info', event: 'listening', url });
  const useCertificate = ({ key, cert }: TlsIdentity): void => {
    server.setSecureContext({ key, cert, minVersion: MIN_VERSION });
    o.log({ level: 'info', event: 'certificate' });
  };
  const renewal = setInterval(() => void renew(), limits.renewIntervalMs).unref();
  const refreshing = setInterval(
    () => void refresh(),
    o.refresh?.intervalMs ?? limits.renewIntervalMs,
  ).unref();
  let current = o.tls;
  let stopped: Promise<void> | undefined;
  return {
    url,
    port,
    useCertificate,
    stop: () => {
      stopped ??= drain();
      return stopped;
    },
  };

  /** The old certificate serves on when a newer one cannot be had: 30 days are left to mend it. */
  async function renew(): Promise<void> {
    try {
      const tls = await o.renew?.();
      if (tls === undefined || tls.cert === current.cert) return;
      useCertificate(tls);
      current = tls;
    } catch (error) {
      o.log(failureEvent(error, {}));
    }
  }

  /** One at a time: a registry that hangs must not pile them up. */
  function refresh(): Promise<void> {
    state.refresh ??= load().finally(() => {
      state.refresh = undefined;
    });
    return state.refresh;
  }

  async function load(): Promise<void> {
    if (o.refresh === undefined || state.draining) return;
    try {
      await o.refresh.run();
      metrics.refresh('loaded');
      o.log({ level: 'info', event: 'policies', result: 'loaded' });
    } catch (error) {
      metrics.refresh('failed');
      o.log(failureEvent(error, { about: 'policies', lastGoodKept: o.refresh.hasGood() }));
    }
  }

  async function drain(): Promise<void> {
    state.draining = true;
    clearInterval(renewal);
    clearInterval(refreshing);
    o.log({ level: 'info', event: 'stopping' });
    if (limits.drainDelayMs > 0) await sleep(limits.drainDelayMs);
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    await traffic.quiet(limits.drainTimeoutMs);
    traffic.destroy();
    await closed;
    await Promise.all([endpoint.settled(), checks.settled()]);
    // What loads may still use what is about to be released; a registry that hangs is not waited for.
    await Promise.race([state.refresh, sleep(limits.drainTimeoutMs, undefined, { ref: false })]);
    await o.release?.();
    o.log({ level: 'info', event: 'stopped' });
  }
}

// A log that cannot be written must not take the webhook, and with it the cluster, down.
function harmless(log: Log): Log {
  return (event) => {
    try {
      log(event);
    } catch {
      // Nobody is left to tell.
    }
  };
}

/** The admission port with its appends counted. */
function counted(admission: Admission, metrics: Metrics): Admission {
  const { judge, claims, now, newId } = admission;
  const record: Admission['record'] = async (statement, kept) => {
    try {
      const recorded = await admission.record(statement, kept);
      metrics.append('appended');
      return recorded;
    } catch (error) {
      metrics.append('failed');
      throw error;
    }
  };
  return { judge, record, now, newId, ...(claims === undefined ? {} : { claims }) };
}

function httpsServer(tls: TlsIdentity, limits: Limits): Server {
  let server: Server;
  try {
    server = createServer({
      key: tls.key,
      cert: tls.cert,
      minVersion: MIN_VERSION,
      handshakeTimeout: limits.handshakeTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      noDelay: true,
    });
  } catch (cause) {
    throw new WebhookError('CERTIFICATE_UNUSABLE', 'the key and certificate of the server cannot be used', {
      cause,
    });
  }
  server.maxConnections = limits.maxConnections;
  server.setTimeout(limits.idleTimeoutMs);
  return server;
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => {
      const message = `cannot listen on ${JSON.stringify(`${host}:${port}`)}: ${cause.code ?? cause.message}`;
      reject(
        new WebhookError('LISTEN_FAILED', message, { hint: 'name a free HOST:PORT with --listen', cause }),
      );
    };
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      const address: AddressInfo | string | null = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

interface Traffic {
  /** Resolves when no request is being answered, or after `maxMs`. */
  quiet(maxMs: number): Promise<void>;
  /** Ends every connection, also one still shaking hands, which the server itself would wait for. */
  destroy(): void;
}

function watch(server: Server): Traffic {
  const sockets = new Set<Socket>();
  let requests = 0;
  let onQuiet = (): void => {};
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (_, response) => {
    requests += 1;
    response.once('close', () => {
      requests -= 1;
      if (requests === 0) onQuiet();
    });
  });
  return {
    async quiet(maxMs) {
      if (requests === 0) return;
      const timeout = new AbortController();
      const quiet = new Promise<void>((resolve) => {
        onQuiet = resolve;
      });
      await Promise.race([quiet, sleep(maxMs, undefined, { signal: timeout.signal }).catch(() => undefined)]);
      timeout.abort();
    },
    destroy() {
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    },
  };
}
