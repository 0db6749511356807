// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { Change, Judge, Judgement, ReviewFacts } from './change.ts';
import { environmentOfNamespace, type Project } from './context/project.ts';
import { type Decision, decide } from './decide/decision.ts';
import { type Finding, objectId } from './decide/finding.ts';
import { type Enforcement, errorFinding, failureFinding, findingsOf } from './decide/findings.ts';
import { EngineError } from './error.ts';
import { type Document, imagesOf, locate, type Source } from './manifest/index.ts';
import { conftestInput, type InputFrame, nativeInput } from './policy/input.ts';
import type { Evaluation, Policy } from './policy/policy.ts';
import type { Style } from './policy/rule.ts';
import { canonicalText } from './record/canonical.ts';
import { digestForm } from './record/secret.ts';
import { listSet, objectOf } from './record/set.ts';

/** What one environment asks for; `name` and `tier` are absent where there is no Project. */
export interface Bench {
  readonly policies: readonly Policy[];
  readonly enforcement: Readonly<Record<string, Enforcement>>;
  readonly environment?: { readonly name: string; readonly tier: string };
  readonly projectDigest?: string;
  /** In Conftest's style too, a builtin that fails is an error; in native rules it always is. */
  readonly strictErrors?: true;
}

/** One object with everything said of it. */
interface Reviewed {
  readonly findings: readonly Finding[];
  /** Lines of the input digest. */
  readonly inputs: readonly string[];
}

/** The judge of one environment. The whole evaluation, read from top to bottom. */
export function openJudge(bench: Bench): Judge {
  return { review: (change, facts) => review(bench, change, facts) };
}

/**
 * The judge of a whole Project: the environment follows from the request's namespace. A namespace of no environment is what the
 * Project's `unmapped` says, deny where it says nothing: an unset scope is no scope.
 */
export function openProjectJudge(project: Project, benches: ReadonlyMap<string, Bench>): Judge {
  return {
    review: (change, facts) => {
      const environment = environmentOfNamespace(project, change.namespace ?? '');
      const bench = environment === undefined ? undefined : benches.get(environment.name);
      return bench === undefined ? unmapped(project, change, facts) : review(bench, change, facts);
    },
  };
}

const UNMAPPED_RESULTS = { deny: 'fail', warn: 'warn', allow: 'skip' } as const;

/** One built-in rule speaks where no environment does, so that the record says why. */
function unmapped(
  project: Project,
  change: Change,
  facts: { readonly time: Date; readonly id: string },
): Judgement {
  const bench: Bench = { policies: [], enforcement: {}, projectDigest: project.digest };
  const message = `namespace ${JSON.stringify(change.namespace ?? '')} belongs to no environment`;
  const rule = {
    rule: 'environment.unmapped',
    message,
    severity: 'high',
    controls: [],
    remedy: 'add it to an environment of the Project',
  } as const;
  const reviewed = change.documents.map(
    (document): Reviewed => ({
      findings: [{ ...rule, result: UNMAPPED_RESULTS[project.unmapped], object: objectOf(document) }],
      inputs: [],
    }),
  );
  return judgementOf(bench, change, { ...facts, reviewed, codes: [rule.rule] });
}

function review(bench: Bench, change: Change, { time, id, onProgress }: ReviewFacts): Judgement {
  const frame = frameOf(change, contextOf(bench, time));
  const reviewed = change.documents.map((document, index) => {
    const one = reviewDocument(bench, document, frame, time);
    onProgress?.(index + 1, change.documents.length);
    return one;
  });
  const codes = bench.policies.flatMap((policy) => policy.rules).map((rule) => rule.code);
  return judgementOf(bench, change, { time, id, reviewed, codes });
}

interface Outcome {
  readonly time: Date;
  readonly id: string;
  readonly reviewed: readonly Reviewed[];
  readonly codes: readonly string[];
}

function judgementOf(bench: Bench, change: Change, { time, id, reviewed, codes }: Outcome): Judgement {
  const set = listSet(change.documents, change.operation === 'DELETE');
  const decision = decide({
    id,
    phase: change.phase,
    operations: change.phase === 'check' ? ['CREATE', 'UPDATE'] : [change.operation],
    enforced: true,
    findings: place(
      reviewed.flatMap(({ findings }, index) => findings.map((finding) => ({ finding, index }))),
      change,
    ),
    passed: passedOf(codes, reviewed),
    evaluated: { objects: change.documents.length, rules: codes.length },
    policies: bench.policies.map((policy) => policy.reference),
    ...digests(bench, contextOf(bench, time), reviewed),
    setDigest: set.digest,
    time: time.toISOString(),
  });
  return { decision, set, images: distinctImages(change) };
}

/** `input.context` as JSON text: the only clock that Rego sees, and the environment where one is known. */
function contextOf(bench: Bench, time: Date): string {
  const { environment } = bench;
  return canonicalText({
    time: time.toISOString(),
    ...(environment === undefined ? {} : { environment: { name: environment.name, tier: environment.tier } }),
  });
}

function frameOf(change: Change, context: string): InputFrame {
  return {
    phase: change.phase,
    operation: change.operation,
    context,
    ...(change.request === undefined ? {} : { request: change.request }),
    ...(change.oldObject === undefined ? {} : { oldObject: change.oldObject }),
  };
}

function reviewDocument(bench: Bench, document: Document, frame: InputFrame, time: Date): Reviewed {
  const object = objectOf(document);
  const findings: Finding[] = [];
  const inputs = new Map<Style, Uint8Array>();
  for (const policy of bench.policies) {
    for (const style of policy.styles) {
      const input = inputs.get(style) ?? inputFor(style, document, frame);
      if (input === undefined) continue;
      inputs.set(style, input);
      const isStrict = style === 'native' || bench.strictErrors === true;
      const findingFrame = { object, time, enforcement: bench.enforcement };
      findings.push(...evaluate(policy, { style, input, isStrict }, findingFrame));
    }
    if (policy.styles.includes('native')) findings.push(...kindFindings(document));
  }
  return {
    findings: dedupe(findings),
    inputs: [...inputs].map(([style, input]) => inputLine(style, input, document)),
  };
}

const inputFor = (style: Style, document: Document, frame: InputFrame): Uint8Array | undefined =>
  style === 'native' ? nativeInput(document, frame) : conftestInput(document, frame);

/**
 * A limit passed or a rule that broke is a finding `error` of the policy, which blocks, and so is each builtin that failed; a fault
 * of ours is thrown.
 */
function evaluate(
  policy: Policy,
  asked: { readonly style: Style; readonly input: Uint8Array; readonly isStrict: boolean },
  frame: Parameters<typeof findingsOf>[1],
): readonly Finding[] {
  const { name } = policy.reference;
  let said: Evaluation;
  try {
    said = policy.evaluate(asked.style, asked.input, { time: frame.time, isStrict: asked.isStrict });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return [errorFinding(name, error, frame.object)];
  }
  const failed = said.failures.map((failure) => failureFinding(name, failure, frame.object));
  return [...findingsOf(said.results, frame), ...failed];
}

/** Native rules speak of Kubernetes objects: a document that is none would pass each of them unseen. */
function kindFindings(document: Document): readonly Finding[] {
  if (document.id !== undefined) return [];
  const message = 'apiVersion or kind is missing: this is no Kubernetes object';
  const remedy = 'give the document an apiVersion and a kind, or leave the file out of what is checked';
  return [
    {
      rule: 'manifest.kind',
      result: 'fail',
      message,
      remedy,
      severity: 'high',
      controls: [],
      object: objectOf(document),
    },
  ];
}

/** Two policies may say the same thing of an object (`manifest.kind`); it is said once. */
function dedupe(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = JSON.stringify([finding.rule, finding.result, finding.path ?? '', finding.message]);
    return !seen.has(key) && seen.add(key);
  });
}

/** Gives each finding its place in the file it came from. */
function place(findings: readonly { finding: Finding; index: number }[], change: Change): readonly Finding[] {
  const sources = new Map<string, Source>(change.sources.map((source) => [source.name, source]));
  return findings.map(({ finding, index }) => {
    const document = change.documents[index];
    const source = document === undefined ? undefined : sources.get(document.file);
    if (document === undefined || source === undefined) return finding;
    return { ...finding, location: locate(source, document, finding.path ?? '') };
  });
}

function passedOf(codes: readonly string[], reviewed: readonly Reviewed[]): Record<string, number> {
  const failed = new Map<string, number>();
  for (const { findings } of reviewed) {
    for (const code of new Set(findings.map((finding) => finding.rule)))
      failed.set(code, (failed.get(code) ?? 0) + 1);
  }
  return Object.fromEntries(
    [...codes].sort().map((code) => [code, reviewed.length - (failed.get(code) ?? 0)]),
  );
}

/** One line of the input digest; a Secret's line is over its reduced form, since a digest of values lets anyone test guesses. */
function inputLine(style: Style, input: Uint8Array, document: Document): string {
  const bytes = style === 'native' ? input : digestForm(document);
  return `${hash('sha256', bytes, 'hex')}  ${objectId(objectOf(document))}\n`;
}

function digests(
  bench: Bench,
  context: string,
  reviewed: readonly Reviewed[],
): Pick<Decision, 'inputDigest' | 'contextDigest' | 'projectDigest' | 'environment'> {
  const lines = reviewed
    .flatMap((one) => one.inputs)
    .sort((a, b) => (a.slice(64) < b.slice(64) ? -1 : a.slice(64) > b.slice(64) ? 1 : a < b ? -1 : 1));
  return {
    inputDigest: hash('sha256', lines.join(''), 'hex'),
    contextDigest: hash('sha256', context, 'hex'),
    ...(bench.projectDigest === undefined ? {} : { projectDigest: bench.projectDigest }),
    ...(bench.environment === undefined ? {} : { environment: bench.environment.name }),
  };
}

function distinctImages(change: Change): Judgement['images'] {
  if (change.operation === 'DELETE') return [];
  const found = new Map<string, string | undefined>();
  for (const image of change.documents.flatMap((document) => imagesOf(document)))
    found.set(image.ref, image.digest);
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([ref, digest]) => ({ ref, ...(digest === undefined ? {} : { digest }) }));
}
