// SPDX-License-Identifier: Apache-2.0
import { type ImageDigest, openProver, type ProverParts } from '../../attest/image/index.ts';
import { attestedImages, readClaims } from '../../engine/attested.ts';
import type { Bench } from '../../engine/bench.ts';
import { type EngineIdentity, statementFor } from '../../engine/conclude.ts';
import type { CustomKind } from '../../engine/context/project.ts';
import type { Change, Decision, Judgement } from '../../engine/index.ts';
import { type Document, type JsonObject, readDocuments } from '../../engine/manifest/index.ts';
import type { BenchParts } from '../../engine/parts.ts';
import type { Asked } from '../../engine/people/index.ts';
import type { Claims } from '../../engine/policy/input.ts';
import { inNamespace, refuseUnrecordable, scopesOf } from '../../engine/record/listable.ts';
import { listSet } from '../../engine/record/set.ts';
import { openJudge } from '../../engine/review.ts';
import { isDefinition, KUBERNETES_MINOR, openSchema, readCustomKinds } from '../../engine/schema/index.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import { WebhookError } from '../error.ts';
import { type CheckRequest, readRequest } from './request.ts';

/** What one environment asks of a set: plain values, which a thread can be handed. */
export interface CheckedEnvironment {
  readonly bench: BenchParts;
  /** Minor version of Kubernetes 1 there; that of the compiled types where it is not stated. */
  readonly minor?: number;
  /** What is looked for at images; absent: nothing. */
  readonly attestations?: { readonly parts: ProverParts; readonly registries: readonly string[] };
  /** Whether people must approve, so that it counts who asks. */
  readonly asksPeople: boolean;
  /** Of whom is believed what tokens and attestations prove. */
  readonly trustDigest: string;
}

/** Everything that sets are checked by. */
export interface CheckParts {
  readonly environments: ReadonlyMap<string, CheckedEnvironment>;
  readonly customKinds: readonly CustomKind[];
}

/** What is known of a check besides its body: nothing of it is the caller's word. */
export interface CheckFacts {
  readonly environment: string;
  readonly time: Date;
  /** UUIDv7 of the Decision. */
  readonly id: string;
  /** What the caller's token proves; empty where an environment checks for anybody. */
  readonly oidc: readonly JsonObject[];
  /** Whom that names. */
  readonly requester?: Asked['requester'];
}

/** A set, judged: plain values. */
export interface CheckJudged {
  readonly decision: Decision;
  /** The rules of the policies, as reports name them. */
  readonly titles: readonly { readonly code: string; readonly title: string; readonly remedy?: string }[];
  /** What is to be signed and kept before anything is answered. */
  readonly statement: Uint8Array;
  readonly kept?: {
    readonly digest: string;
    readonly bytes: Uint8Array;
    readonly environment: string;
    readonly time: string;
  };
}

/** The bench of an environment, opened, and who judges. */
export interface CheckFrame {
  readonly bench: Bench;
  readonly environment: CheckedEnvironment;
  readonly customKinds: readonly CustomKind[];
  readonly engine: EngineIdentity;
  readonly reader: YamlReader;
}

/**
 * The straight line of one set up to its signature, as `check --record` has it: body in, Decision and statement out. Rejects with
 * {WebhookError} REQUEST_*; {EngineError} INPUT_* | what a judge and a statement throw; {AttestError} REGISTRY_* | TRUST_*
 */
export async function checkSet(body: Uint8Array, frame: CheckFrame, facts: CheckFacts): Promise<CheckJudged> {
  const { bench, environment, engine } = frame;
  const request = readRequest(body);
  const documents = documentsOf(request, frame);
  const claims = await claimsFor(documents, environment, facts);
  const { minor = KUBERNETES_MINOR } = environment;
  // As `check` does: the definitions that are applied together with their objects.
  const customKinds = documents.some(isDefinition) ? { customKinds: readCustomKinds(documents) } : {};
  const schema = openSchema({ minor, enforcement: bench.enforcement, ...customKinds });
  const change: Change = {
    phase: 'check',
    operation: 'CREATE',
    documents,
    sources: request.files,
    ...(facts.oidc.length === 0 ? {} : { oidc: facts.oidc }),
    ...(environment.asksPeople ? { asked: askedOf(request, facts) } : {}),
    ...(claims === undefined ? {} : { claims }),
    ...(claims === undefined && facts.oidc.length === 0 ? {} : { trustDigest: environment.trustDigest }),
  };
  const judgement = openJudge({ ...bench, schema }).review(change, facts);
  return { decision: judgement.decision, titles: titlesOf(bench), ...concluded(judgement, engine, facts) };
}

function documentsOf(request: CheckRequest, { reader, customKinds }: CheckFrame): readonly Document[] {
  const { files, namespace, setDigest } = request;
  const read = readDocuments(files, reader);
  const scopes = scopesOf(read, { stated: customKinds });
  const documents = namespace === undefined ? read : inNamespace(read, namespace, scopes);
  refuseUnrecordable(documents, scopes);
  const { digest } = listSet(documents, false);
  if (digest === setDigest) return documents;
  throw new WebhookError('REQUEST_SET', `the files are the set sha256:${digest}, not sha256:${setDigest}`, {
    hint: 'nothing was signed: use one version of countersign on both sides, and state the same customKinds',
  });
}

/** Who asks: whom the token names. Whoever is only said to is as one who wrote it, as in `check`. */
function askedOf({ requester, authors }: CheckRequest, { requester: proved }: CheckFacts): Asked {
  const named = requester === undefined ? [] : [requester];
  if (proved !== undefined) return { requester: proved, authors: [...authors, ...named] };
  if (requester === undefined) return { authors };
  return { requester: { id: requester, how: 'flag', trust: 'asserted' }, authors };
}

/** How many images are asked about at once. The deadline of the whole check bounds all of it. */
const AT_ONCE = 4;
const IMAGE_TIMEOUT_MS = 30_000;

/** What is proved about the images, where the environment asks. A registry that does not answer leaves no answer. */
async function claimsFor(
  documents: readonly Document[],
  { attestations }: CheckedEnvironment,
  { time }: CheckFacts,
): Promise<Claims | undefined> {
  if (attestations === undefined) return undefined;
  const prover = openProver(attestations.parts);
  const prove = async (image: ImageDigest) => {
    const signal = AbortSignal.timeout(IMAGE_TIMEOUT_MS);
    return { ...(await prover.prove(image, { now: time, signal })), digest: image.digest };
  };
  const images = attestedImages(documents, attestations.registries);
  const proved = [];
  for (let from = 0; from < images.length; from += AT_ONCE)
    proved.push(...(await Promise.all(images.slice(from, from + AT_ONCE).map(prove))));
  return readClaims(proved).claims;
}

const titlesOf = ({ policies }: Bench): CheckJudged['titles'] =>
  policies
    .flatMap(({ rules }) => rules)
    .map(({ code, title, remedy }) => ({ code, title, ...(remedy === undefined ? {} : { remedy }) }));

function concluded(
  judgement: Judgement,
  engine: EngineIdentity,
  { environment }: CheckFacts,
): Pick<CheckJudged, 'statement' | 'kept'> {
  const kept = judgement.kept?.();
  const statement = statementFor(judgement, engine, kept);
  if (kept === undefined) return { statement };
  const { time } = judgement.decision;
  return { statement, kept: { digest: kept.digest, bytes: kept.bytes, environment, time } };
}
