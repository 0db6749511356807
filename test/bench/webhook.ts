// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { field, run } from '../cluster/api.ts';
import type { Plan, Report } from './load.ts';
import { cpuOfTree, peakOfTree } from './measure.ts';
import type { Peers } from './peers.ts';
import { admissionReviews, uidOf } from './reviews.ts';
import { type Server, startCountersign, startOpa } from './servers.ts';
import { quantile, ratioOf, spreadOf, spreadText, tableText } from './statistics.ts';

const DISTINCT_REVIEWS = 200;
/** Of a server that has been running for a minute. */
const WARM_UP = 8_000;

/** One round of load. */
interface Round {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server, milliseconds a request. */
  readonly cpuMs: number;
  /** Of the load generator, milliseconds a request: it runs on the same cores. */
  readonly clientMs: number;
}

/** The table of both servers under the same load, in turn. Throws when they answer differently. */
export async function benchWebhook(o: {
  readonly peers: Peers;
  readonly runs: number;
  readonly requests: number;
  /** How many requests are under way at once. */
  readonly connections: number;
  readonly directory: string;
  readonly print: (line: string) => void;
}): Promise<string> {
  const { connections } = o;
  const directory = join(o.directory, `webhook-${connections}`);
  mkdirSync(directory);
  const bodies = join(directory, 'reviews.jsonl');
  const reviews = admissionReviews(DISTINCT_REVIEWS);
  writeFileSync(bodies, `${reviews.join('\n')}\n`);
  o.print(
    `webhook: ${o.requests} requests a round on ${connections} connections, ${meanKb(reviews)} kB each`,
  );
  const servers = [await startOpa(o.peers.opa, directory), await startCountersign(directory)] as const;
  try {
    o.print(await compare(servers, { bodies, connections }));
    const rounds = new Map<Server, Round[]>(servers.map((server) => [server, []]));
    for (let run = 1; run <= o.runs; run += 1) {
      for (const server of servers) {
        const round = await load(server, { bodies, connections, requests: o.requests });
        rounds.get(server)?.push(round);
        o.print(
          `  run ${run}: ${server.name} ${round.perSecond.toFixed(0)}/s, p99 ${round.p99Ms.toFixed(1)} ms`,
        );
      }
    }
    return tableOf(servers, rounds, connections);
  } finally {
    for (const server of servers) await server.running.stop('SIGTERM');
  }
}

const meanKb = (texts: readonly string[]): string =>
  (texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / texts.length / 1000).toFixed(1);

/** What is sent, on how many connections. */
type Load = Pick<Plan, 'bodies' | 'connections' | 'requests'>;

async function send(server: Server, o: Load): Promise<Report> {
  const { port, path, ca } = server;
  const plan: Plan = { port, path, ca, ...o };
  const answer = await run(process.execPath, [join(import.meta.dirname, 'load.ts')], JSON.stringify(plan));
  if (answer.code !== 0)
    throw new Error(`${server.name} under load: ${answer.stderr}${server.running.output().slice(-2000)}`);
  return JSON.parse(answer.stdout);
}

async function load(server: Server, o: Load): Promise<Round> {
  const before = cpuOf(server);
  const report = await send(server, o);
  const sorted = [...report.latenciesMs].sort((a, b) => a - b);
  return {
    perSecond: o.requests / report.seconds,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    cpuMs: ((cpuOf(server) - before) / o.requests) * 1000,
    clientMs: (report.cpuS / o.requests) * 1000,
  };
}

const cpuOf = (server: Server): number => cpuOfTree(server.running.pid) ?? Number.NaN;

/** Sends each review to both and compares: the uid comes back, and both allow or both deny. Some more, to warm both up. */
async function compare(
  servers: readonly [Server, Server],
  o: Pick<Load, 'bodies' | 'connections'>,
): Promise<string> {
  const [theirs, ours] = [
    await send(servers[0], { ...o, requests: WARM_UP }),
    await send(servers[1], { ...o, requests: WARM_UP }),
  ];
  let denied = 0;
  for (const index of ours.answers.keys()) {
    const [their, our] = [answerOf(theirs, index), answerOf(ours, index)];
    if (our.uid !== uidOf(index) || their.uid !== our.uid || their.allowed !== our.allowed)
      throw new Error(`the answers differ: OPA ${JSON.stringify(their)}, Countersign ${JSON.stringify(our)}`);
    if (our.allowed === false) denied += 1;
  }
  return `  the same answers on both sides: ${denied} of ${ours.answers.length} denied`;
}

function answerOf(report: Report, index: number): { uid: unknown; allowed: unknown; message: unknown } {
  const response = field(JSON.parse(report.answers[index] ?? 'null'), 'response');
  return {
    uid: field(response, 'uid'),
    allowed: field(response, 'allowed'),
    message: field(response, 'status', 'message'),
  };
}

function tableOf(
  servers: readonly [Server, Server],
  rounds: ReadonlyMap<Server, readonly Round[]>,
  connections: number,
): string {
  const values = (server: Server, key: keyof Round): number[] =>
    (rounds.get(server) ?? []).map((round) => round[key]);
  const rows = servers.map((server) => [
    server.name,
    spreadText(spreadOf(values(server, 'perSecond')), 0),
    spreadText(spreadOf(values(server, 'p50Ms')), 1),
    spreadText(spreadOf(values(server, 'p99Ms')), 1),
    spreadOf(values(server, 'cpuMs')).median.toFixed(2),
    spreadOf(values(server, 'clientMs')).median.toFixed(2),
    peakOfTree(server.running.pid)?.toFixed(0) ?? 'unknown',
  ]);
  const [theirs, ours] = servers;
  const ratio = (key: keyof Round): string => spreadText(ratioOf(values(ours, key), values(theirs, key)), 2);
  return tableText([
    [
      `webhook, ${connections} at once`,
      'requests/s',
      'p50 ms',
      'p99 ms',
      'CPU ms a request',
      'client CPU ms',
      'memory MiB',
    ],
    ...rows,
    ['ratio', ratio('perSecond'), ratio('p50Ms'), ratio('p99Ms'), '', '', ''],
    ['target', '≥ 0.9', '', '≤ 1.11', '', '', ''],
  ]);
}
