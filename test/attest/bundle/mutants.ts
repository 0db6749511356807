// SPDX-License-Identifier: Apache-2.0
// Changes of one byte or one field in what verifies: bundles, envelopes, trusted roots and trust files. Whatever is accepted must be
// another spelling of the same thing (spelling.ts), and nothing may end in anything but a verdict or an error of ours.
import { createPublicKey, hash } from 'node:crypto';
import {
  AttestError,
  generateKeyPair,
  parseTrust,
  readSigner,
  readSigstoreTrust,
  type SigstoreTrust,
  signStatement,
  verifyAttestation,
  verifyEnvelope,
} from '../../../attest/index.ts';
import { keyed, question, RELEASE, trustOf } from './ask.ts';
import { meaning, rootMeaning } from './spelling.ts';
import {
  ARTIFACT,
  type Json,
  type Making,
  moment,
  newKey,
  newWorld,
  PREDICATE_TYPE,
  pemOf,
  SIGNED_AT,
  statement,
} from './world.ts';

/** A good thing, how it is judged, and when two spellings of it are one. */
interface Specimen {
  readonly kind: string;
  readonly text: string;
  /** True where it is believed. */
  readonly accepts: (text: Buffer) => boolean;
  readonly meaning: (text: string) => string | undefined;
}

/** What became of the mutants: by kind, and each that should not have been accepted. */
export interface Tally {
  readonly counts: Readonly<Record<string, { readonly refused: number; readonly respelled: number }>>;
  readonly wrong: readonly string[];
}

/** The specimens: every way of signing and proving is in one of them. */
export async function specimens(): Promise<readonly Specimen[]> {
  const world = await newWorld();
  const root = JSON.stringify(world.trustedRoot());
  const key = newKey();
  const makings: readonly Making[] = [
    { version: '0.1', entries: ['intoto 0.0.2'] },
    { version: '0.2', entries: ['dsse 0.0.2'], timestamps: 1 },
    { entries: ['hashedrekord 0.0.1'], content: { artifact: ARTIFACT } },
    { entries: ['dsse 0.0.1'] },
    { key, entries: ['hashedrekord 0.0.2'] },
    { key, entries: [], timestamps: 1 },
  ];
  const bundles: string[] = [];
  for (const making of makings) bundles.push(JSON.stringify(await world.make(making)));
  // The proof is more than v0.1 needs: without it the promise has to do.
  const [first = ''] = bundles;
  const promised: Json = JSON.parse(first);
  delete promised.verificationMaterial.tlogEntries[0].inclusionProof;
  bundles[0] = JSON.stringify(promised);
  const asked = (trust: SigstoreTrust, text: string) =>
    question(trust, {
      signers: [RELEASE, keyed(pemOf(key))],
      // The last is held by no log and has its age proved instead: whatever a bundle here has to show is needed.
      requireLog: text !== bundles.at(-1),
      ...(text === bundles.at(-1) ? { maxAgeMs: 3_600_000 } : {}),
      ...(text.includes('dsseEnvelope') ? { predicateType: PREDICATE_TYPE } : {}),
    });
  const trust = trustOf(JSON.parse(root));
  const ofBundle = (text: string, index: number): Specimen => ({
    kind: `bundle ${index + 1}`,
    text,
    accepts: (mutant) => verifyAttestation(mutant, asked(trust, text)).verified,
    meaning,
  });
  const ofRoot: Specimen = {
    kind: 'trusted root',
    text: root,
    // Together the bundles use every part of it.
    accepts: (mutant) => {
      const changed = readSigstoreTrust(mutant);
      return bundles.every((text) => verifyAttestation(Buffer.from(text), asked(changed, text)).verified);
    },
    meaning: (text) => rootMeaning(text, SIGNED_AT),
  };
  return [...bundles.map(ofBundle), ofRoot, ...(await envelopeAndTrust())];
}

/** An envelope as a person signs it, and the trust file that it is judged by. */
async function envelopeAndTrust(): Promise<readonly Specimen[]> {
  const signer = readSigner(generateKeyPair().privateKeyPem);
  const { payload, payloadType, signatures } = await signStatement(statement(), signer);
  const envelope = { payload, payloadType, signatures: [{ keyid: signer.keyId, sig: signatures[0]?.sig }] };
  const text = JSON.stringify(envelope);
  const file = JSON.stringify({
    apiVersion: 'countersign.dev/v1alpha1',
    kind: 'Trust',
    keys: [
      {
        name: 'ci',
        uses: ['approval'],
        environments: ['production'],
        publicKey: signer.publicKeyPem,
        notBefore: moment(-1_000).toISOString(),
        notAfter: moment(1_000).toISOString(),
      },
    ],
    logs: [],
  });
  const asked = {
    use: 'approval',
    predicateType: PREDICATE_TYPE,
    environment: 'production',
    at: moment(0),
  } as const;
  return [
    {
      kind: 'envelope',
      text,
      accepts: (mutant) => verifyEnvelope(mutant, parseTrust(Buffer.from(file)), asked).ok,
      meaning,
    },
    {
      kind: 'trust file',
      text: file,
      accepts: (mutant) => verifyEnvelope(Buffer.from(text), parseTrust(mutant), asked).ok,
      meaning: (mutant) => trustMeaning(mutant),
    },
  ];
}

/** A trust file says the same where the key is the same and still trusted for this, now; its name is the reader's affair. */
function trustMeaning(text: string): string | undefined {
  const { keys, logs, ...rest }: Json = JSON.parse(text);
  const same = keys.map(({ publicKey, uses, environments, notBefore, notAfter }: Json) => [
    createPublicKey(publicKey).export({ type: 'spki', format: 'der' }).toString('base64'),
    uses.includes('approval'),
    environments.includes('production') || environments.includes('*'),
    (notBefore ?? '') <= moment(0).toISOString(),
    (notAfter ?? '9') >= moment(0).toISOString(),
  ]);
  return JSON.stringify([same, logs, rest.apiVersion, rest.kind]);
}

/** Makes `count` mutants, the same for the same seed but for the keys, and judges each. */
export async function judgeMutants(seed: number, count: number): Promise<Tally> {
  const all = await specimens();
  for (const { kind, text, accepts } of all)
    if (!accepts(Buffer.from(text))) throw new Error(`the ${kind} itself does not verify`);
  const random = randomOf(seed);
  const counts: Record<string, { refused: number; respelled: number }> = {};
  const wrong: string[] = [];
  for (let made = 0; made < count; ) {
    const specimen = all[made % all.length];
    if (specimen === undefined) break;
    const { how, bytes } = mutate(specimen.text, random);
    if (bytes.equals(Buffer.from(specimen.text))) continue;
    made++;
    const tally = counts[specimen.kind] ?? { refused: 0, respelled: 0 };
    counts[specimen.kind] = tally;
    const outcome = outcomeOf(specimen, bytes);
    if (outcome === 'refused' || outcome === 'respelled') tally[outcome]++;
    else wrong.push(`${specimen.kind}, ${how}: ${outcome}`);
  }
  return { counts, wrong };
}

function outcomeOf({ text, accepts, meaning: meant }: Specimen, bytes: Buffer): string {
  try {
    if (!accepts(bytes)) return 'refused';
  } catch (error) {
    return error instanceof AttestError ? 'refused' : `threw ${String(error)}`;
  }
  return meant(bytes.toString('utf8')) === meant(text) ? 'respelled' : 'accepted';
}

type Random = (below: number) => number;

/** mulberry32: small, and the same everywhere. */
function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

interface Mutant {
  readonly how: string;
  readonly bytes: Buffer;
}

function mutate(text: string, random: Random): Mutant {
  const way = random(3);
  if (way === 0) {
    const at = random(text.length);
    return { how: `a byte at ${at}`, bytes: changeByte(Buffer.from(text), at, random) };
  }
  const places = placesOf(JSON.parse(text));
  const place = places[random(places.length)] ?? [];
  const json: Json = JSON.parse(text);
  const parent = place.slice(0, -1).reduce((node, step) => node[step], json);
  const name = place.at(-1) ?? '';
  const how = way === 1 ? changeField(json, parent, name, random) : changeInside(parent, name, random);
  return { how: `${how} at ${place.join('/')}`, bytes: Buffer.from(JSON.stringify(json)) };
}

function changeByte(bytes: Buffer, at: number, random: Random): Buffer {
  const [before, byte, rest] = [bytes.subarray(0, at), bytes.subarray(at, at + 1), bytes.subarray(at + 1)];
  const other = Uint8Array.of(random(256));
  const flipped = Uint8Array.of((byte[0] ?? 0) ^ (1 << random(8)));
  const ways = [[flipped], [other], [], [byte, byte], [byte, other], [rest.subarray(0, 1), byte]];
  const way = random(ways.length);
  return Buffer.concat([before, ...(ways[way] ?? []), way === 5 ? rest.subarray(1) : rest]);
}

/** Every member and every item of a list, as the steps that lead to it. */
function placesOf(value: Json, path: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((name) => [[...path, name], ...placesOf(value[name], [...path, name])]);
}

const VALUES: readonly Json[] = [
  null,
  true,
  0,
  1,
  -1,
  '',
  '0',
  '1',
  'x',
  [],
  {},
  [[]],
  'AAAA',
  '9007199254740993',
];

function changeField(json: Json, parent: Json, name: string, random: Random): string {
  const others = placesOf(json);
  const from = others[random(others.length)] ?? [];
  const elsewhere = structuredClone(from.reduce((node, step) => node[step], json));
  const value = VALUES[random(VALUES.length)];
  switch (random(5)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(name), 1);
      else delete parent[name];
      return 'nothing';
    case 1:
      parent[name] = value;
      return JSON.stringify(value);
    case 2:
      parent[name] = elsewhere;
      return `what is at ${from.join('/')}`;
    case 3:
      if (Array.isArray(parent)) parent.push(structuredClone(parent[Number(name)]));
      else parent[`${name}x`] = value;
      return 'one more';
    default:
      parent[name] = [parent[name]];
      return 'a list of it';
  }
}

/** Within what a text encodes: base64, or a time. */
function changeInside(parent: Json, name: string, random: Random): string {
  const text: Json = parent[name];
  if (typeof text !== 'string' || text.length === 0) {
    parent[name] = `${text}`;
    return 'a text of it';
  }
  const bytes = Buffer.from(text, 'base64');
  const isBase64 = bytes.length > 0 && bytes.toString('base64') === text;
  const source = isBase64 ? bytes : Buffer.from(text);
  const changed = changeByte(source, random(source.length), random);
  parent[name] = isBase64 ? changed.toString('base64') : changed.toString('utf8');
  return `a byte inside (${hash('sha256', changed).slice(0, 8)})`;
}
