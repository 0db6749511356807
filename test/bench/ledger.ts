// SPDX-License-Identifier: Apache-2.0
// The ledger: how many appends a second it commits, and how soon a question about a million records has its first page.
//   npm run bench -- ledger [--records 1000000]
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  generateKeyPair,
  openFileRows,
  openLedger,
  openSearch,
  type Query,
  readSigner,
  type Search,
  type Term,
} from '../../attest/index.ts';
import { signStatement } from '../../attest/sign/index.ts';
import { TERMS_VERSION, termsOf } from '../../engine/record/summary.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** What is measured. */
export interface LedgerBench {
  readonly runs: number;
  readonly records: number;
  readonly directory: string;
  readonly print: (line: string) => void;
}

const APPENDS = 4_000;
const TARGET_APPENDS = 2_000;
const TARGET_MS = 100;
const START = Date.parse('2026-01-01T00:00:00Z');

/** Runs the benchmark; resolves with its table in Markdown. */
export async function benchLedger(bench: LedgerBench): Promise<string> {
  const rows = [
    '| what | median (min to max) | target |',
    '|---|---|---|',
    ...(await benchAppends(bench)),
    ...(await benchQueries(bench)),
  ];
  return `## ledger\n\n${rows.join('\n')}\n`;
}

async function benchAppends({ runs, directory, print }: LedgerBench): Promise<string[]> {
  const signer = readSigner(generateKeyPair().privateKeyPem);
  const rows: string[] = [];
  for (const concurrency of [1, 64, 512]) {
    const count = concurrency === 1 ? APPENDS / 10 : APPENDS;
    const perSecond: number[] = [];
    for (let run = 0; run < runs; run++) {
      const folder = join(directory, `append-${concurrency}-${run}`);
      const ledger = openLedger({ directory: folder, create: true, now: () => new Date() });
      let next = 0;
      const lane = async (): Promise<void> => {
        while (next < count) await ledger.append(await signStatement(statementOf(next++), signer), signer);
      };
      const began = performance.now();
      await Promise.all(Array.from({ length: concurrency }, lane));
      perSecond.push((count * 1_000) / (performance.now() - began));
      await ledger.close();
      rmSync(folder, { recursive: true });
    }
    const spread = spreadOf(perSecond);
    print(`appends, ${concurrency} at once: ${shown(spread)} a second`);
    const target = concurrency === 1 ? '' : `over ${TARGET_APPENDS.toLocaleString('en')}`;
    rows.push(`| signed and committed a second, ${concurrency} at once | ${shown(spread)} | ${target} |`);
  }
  return rows;
}

async function benchQueries({ runs, records, directory, print }: LedgerBench): Promise<string[]> {
  const folder = join(directory, 'queries');
  await generate(folder, records, print);
  const rows = openFileRows(folder);
  const index = join(folder, 'index.sqlite3');
  const search = await openSearch({ rows, termsOf, version: TERMS_VERSION, file: index });
  const began = performance.now();
  await search.catchUp();
  const seconds = (performance.now() - began) / 1_000;
  print(`indexed ${records.toLocaleString('en')} records in ${seconds.toFixed(1)} s`);
  const lines = [
    `| ${records.toLocaleString('en')} records indexed for the first time, s | ${seconds.toFixed(1)} | |`,
  ];
  for (const [name, query] of queriesOver(records)) {
    const spread = await timesOf(search, query, Math.max(runs, 5));
    print(`${name}: ${shown(spread)} ms`);
    lines.push(`| first page, ms: ${name} | ${shown(spread)} | ${TARGET_MS} |`);
  }
  search.close();
  await rows.close();
  rmSync(folder, { recursive: true });
  return lines;
}

async function timesOf(search: Search, query: Query, runs: number): Promise<Spread> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const began = performance.now();
    await search.page(query);
    times.push(performance.now() - began);
  }
  return spreadOf(times);
}

const shown = ({ median, min, max }: Spread): string =>
  `${number(median)} (${number(min)} to ${number(max)})`;
const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1);

const LIMIT = 50;
const term = (name: string, value: string): readonly Term[] => [{ name, value }];
const at = (record: number): number => START + record * 1_000;

/** Frequent and rare terms, together and apart, and those that meet nowhere. */
function queriesOver(records: number): readonly (readonly [string, Query])[] {
  const limit = LIMIT;
  const middle = { from: at(records / 2), to: at(records / 2 + 100) };
  return [
    ['the newest', { terms: [], limit }],
    ['by verdict', { terms: [term('verdict', 'deny')], limit }],
    [
      'by environment and verdict',
      { terms: [term('environment', 'production/*'), term('verdict', 'deny')], limit },
    ],
    [
      'two frequent terms that never meet',
      { terms: [term('verdict', 'allow'), term('rule', 'pod.privileged')], limit },
    ],
    ['by rule and actor', { terms: [term('rule', 'pod.privileged'), term('actor', 'person-7')], limit }],
    ['by artefact', { terms: [term('artefact', digestOf(3))], limit }],
    [
      'one of three actors',
      { terms: [[1, 2, 3].map((n) => ({ name: 'actor', value: `person-${n}` }))], limit },
    ],
    ['by time', { terms: [], ...middle, limit }],
    ['by time and verdict', { terms: [term('verdict', 'deny')], ...middle, limit }],
    ['by a term that none has', { terms: [term('verdict', 'perhaps')], limit }],
    ['the last page of a frequent term', { terms: [term('verdict', 'allow')], before: 60, limit }],
  ];
}

const digestOf = (record: number): string => record.toString(16).padStart(64, '0');

/** A decision much as `statementOf` of engine/record writes it: about 1 kB, with a set and an image of its own. */
function statementOf(record: number): Uint8Array {
  const isDenied = record % 9 === 0;
  const finding = {
    rule: record % 2 === 0 ? 'pod.privileged' : 'image.registry',
    result: 'fail',
    severity: 'high',
    object: 'apps/Deployment/web/web',
    path: '/spec',
    controls: [],
  };
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'set.txt', digest: { sha256: digestOf(record) } }],
      predicateType: 'https://countersign.dev/attestation/deployment-decision/v1',
      predicate: {
        id: `0193${digestOf(record).slice(0, 28)}`,
        phase: record % 4 === 0 ? 'check' : 'admission',
        verdict: isDenied ? 'deny' : 'allow',
        enforced: true,
        time: new Date(at(record)).toISOString(),
        scope: {
          environment: ['production/eu', 'production/us', 'staging', 'testing'][record % 4],
          operations: ['CREATE'],
        },
        set: {
          digest: { sha256: digestOf(record) },
          objects: [
            {
              id: `apps/Deployment/web/app-${record % 500}`,
              apiVersion: 'apps/v1',
              digest: { sha256: digestOf(record + 7) },
            },
          ],
        },
        images: [
          { ref: `registry.example/app-${record % 500}:${record}`, digest: { sha256: digestOf(record + 9) } },
        ],
        requester: { id: `person-${record % 40}`, how: 'userInfo', trust: 'asserted' },
        passed: { 'pod.run-as-non-root': 1, 'pod.limits': 1 },
        findings: isDenied ? [finding] : [],
      },
    }),
  );
}

/** Appends without signing, which the ledger does not look at: nobody waits half an hour for a million signatures. */
async function generate(directory: string, records: number, print: (line: string) => void): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const ledger = openLedger({ directory, create: true, now: () => new Date() });
  const signature = Buffer.alloc(70, 1);
  const publicKeyDer = readSigner(generateKeyPair().privateKeyPem).publicKeyDer;
  const began = performance.now();
  for (let first = 0; first < records; first += 1_024) {
    const batch = Array.from({ length: Math.min(1_024, records - first) }, (_, offset) =>
      ledger.append(
        {
          payload: Buffer.from(statementOf(first + offset)).toString('base64'),
          payloadType: 'application/vnd.in-toto+json',
          signatures: [{ sig: signature.toString('base64') }],
        },
        { publicKeyDer },
      ),
    );
    await Promise.all(batch);
  }
  await ledger.close();
  const seconds = (performance.now() - began) / 1_000;
  print(
    `generated ${records.toLocaleString('en')} records in ${seconds.toFixed(0)} s, ${number(records / seconds)} a second`,
  );
}
