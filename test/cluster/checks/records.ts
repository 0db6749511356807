// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLedger, readTrust, verifyRecord } from '../../../attest/index.ts';
import { call, field, run } from '../api.ts';
import { NAMESPACE, PATHS } from './objects.ts';
import type { Scene } from './scene.ts';
import { expectParts, expectSame } from './tally.ts';

const PREDICATE_TYPE = 'https://countersign.dev/attestation/deployment-decision/v1';
const ANNOTATION = 'admit.countersign.dev';

/** What a record in the ledger says, and the record itself as JSON. */
export interface RecordRead {
  readonly id: string;
  readonly verdict: string;
  readonly operations: unknown;
  /** Ids of the objects that were judged. */
  readonly objects: readonly string[];
  /** The listing that the record is about. */
  readonly listing: string;
  readonly json: string;
}

/** A request that the webhook judged, as the API server's audit log tells it. */
interface Judged {
  readonly decision: string;
  readonly verdict: string;
  readonly isDryRun: boolean;
  readonly name: string;
}

/** Every record of a state folder, oldest first. */
export async function readRecords(state: string): Promise<RecordRead[]> {
  const ledger = openLedger({ directory: state, create: false, now: () => new Date() });
  try {
    return [...ledger.records()].map(({ bundle }) => readRecord(JSON.stringify(bundle)));
  } finally {
    await ledger.close();
  }
}

function readRecord(json: string): RecordRead {
  const payload = String(field(JSON.parse(json), 'dsseEnvelope', 'payload'));
  const predicate = field(JSON.parse(Buffer.from(payload, 'base64').toString()), 'predicate');
  const entries = field(predicate, 'set', 'objects');
  const objects = (Array.isArray(entries) ? entries : []).map((entry) => ({
    id: String(field(entry, 'id')),
    digest: String(field(entry, 'digest', 'sha256')),
  }));
  return {
    id: String(field(predicate, 'id')),
    verdict: String(field(predicate, 'verdict')),
    operations: field(predicate, 'scope', 'operations'),
    objects: objects.map(({ id }) => id),
    listing: objects.map(({ id, digest }) => `${digest}  ${id}\n`).join(''),
    json,
  };
}

/**
 * Compares what the API server says it asked with what the ledger holds: a closed world, no answer without a record and no
 * record without an answer. Run it when the webhook has stopped.
 */
export async function records(scene: Scene): Promise<void> {
  const { plane, settings, tally } = scene;
  const kept = await readRecords(settings.state);
  const judged = readAudit(plane.auditLog);
  const real = judged.filter(({ isDryRun }) => !isDryRun);
  await tally.check('each decision that the API server was told has its record, allow and deny', async () => {
    const byId = new Map(kept.map((record) => [record.id, record]));
    const missing = real.filter(({ decision, verdict }) => byId.get(decision)?.verdict !== verdict);
    expectSame('decisions without a record of the same verdict', missing, []);
    const count = (verdict: string): number => real.filter((one) => one.verdict === verdict).length;
    if (count('allow') === 0 || count('deny') === 0)
      throw new Error('nothing was allowed, or nothing denied');
    return `${count('allow')} allowed, ${count('deny')} denied`;
  });
  await tally.check('each record is of a decision that the API server was told', async () => {
    const told = new Set(real.map(({ decision }) => decision));
    expectSame(
      'records of decisions that nobody heard of',
      kept.filter(({ id }) => !told.has(id)).map(({ verdict, objects }) => [verdict, ...objects]),
      [],
    );
    return `${kept.length} records`;
  });
  await tally.check('nothing is stored that has no record of an allow', async () => {
    const { body } = await call(plane.access, 'GET', PATHS.deployments);
    const items = field(body, 'items');
    const names = (Array.isArray(items) ? items : []).map((item) => String(field(item, 'metadata', 'name')));
    const allowed = new Set(
      kept.filter(({ verdict }) => verdict === 'allow').flatMap(({ objects }) => objects),
    );
    expectSame(
      'Deployments without a record',
      names.filter((name) => !allowed.has(`apps/Deployment/${NAMESPACE}/${name}`)),
      [],
    );
    return `${names.length} Deployments`;
  });
  await tally.check('each record is about the object that was asked for', async () => {
    const byId = new Map(kept.map((record) => [record.id, record]));
    const other = real.filter(
      ({ decision, name }) => name !== '' && !byId.get(decision)?.objects[0]?.endsWith(`/${name}`),
    );
    expectSame('records about something else', other, []);
    return undefined;
  });
  await tally.check('a dry run left no record, and no decision has two', async () => {
    const rehearsed = new Set(judged.filter(({ isDryRun }) => isDryRun).map(({ decision }) => decision));
    if (rehearsed.size === 0) throw new Error('there was no dry run');
    const ids = kept.map(({ id }) => id);
    expectSame(
      'records of dry runs',
      ids.filter((id) => rehearsed.has(id)),
      [],
    );
    expectSame('records of one decision', ids.length, new Set(ids).size);
    return `${rehearsed.size} dry runs`;
  });
  await signatures(scene, kept);
}

async function signatures({ settings, tally, cosign }: Scene, kept: readonly RecordRead[]): Promise<void> {
  await tally.check('each record verifies against the trust file of the state folder', async () => {
    const trust = readTrust(JSON.parse(readFileSync(join(settings.state, 'trust.json'), 'utf8')));
    const question = { use: 'record', predicateType: PREDICATE_TYPE } as const;
    const refused = kept.map((record) => verifyRecord(Buffer.from(record.json), trust, question));
    expectSame(
      'records that do not verify',
      refused.filter((verdict) => !verdict.ok),
      [],
    );
    return `${kept.length} records`;
  });
  const last = kept.findLast((record) => record.verdict === 'allow' && record.listing !== '');
  await tally.check('stock cosign accepts a record and its place in the ledger', async () => {
    const answer = await verifyWithCosign(cosign, settings, last, last?.listing);
    expectSame(`exit code (${answer.stderr})`, answer.code, 0);
    return undefined;
  });
  await tally.check('and refuses it for another set of objects', async () => {
    const answer = await verifyWithCosign(cosign, settings, last, `${last?.listing}another\n`);
    if (answer.code === 0) throw new Error('cosign accepts the record for what it is not about');
    expectParts('stderr', answer.stderr, ['digest']);
    return undefined;
  });
}

function verifyWithCosign(
  cosign: string,
  settings: Scene['settings'],
  record: RecordRead | undefined,
  listing: string | undefined,
): ReturnType<typeof run> {
  if (record === undefined || listing === undefined) throw new Error('there is no record of an allow');
  const file = join(settings.directory, 'record.json');
  const blob = join(settings.directory, 'set.txt');
  writeFileSync(file, record.json);
  writeFileSync(blob, listing);
  return run(cosign, [
    'verify-blob-attestation',
    `--key=${join(settings.state, 'key.pub')}`,
    `--bundle=${file}`,
    `--trusted-root=${join(settings.state, 'trusted_root.json')}`,
    `--type=${PREDICATE_TYPE}`,
    blob,
  ]);
}

function readAudit(file: string): Judged[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.flatMap((line) => {
    const event: unknown = JSON.parse(line);
    const decision = field(event, 'annotations', `${ANNOTATION}/decision`);
    if (typeof decision !== 'string') return [];
    const uri = new URL(String(field(event, 'requestURI')), 'https://localhost');
    return [
      {
        decision,
        verdict: String(field(event, 'annotations', `${ANNOTATION}/verdict`)),
        isDryRun: uri.searchParams.getAll('dryRun').includes('All'),
        name: nameOf(event),
      },
    ];
  });
}

/** The object's name; a connection into a Pod is about its options, which have none. */
function nameOf(event: unknown): string {
  const name = field(event, 'objectRef', 'name');
  return field(event, 'objectRef', 'subresource') === undefined && typeof name === 'string' ? name : '';
}
