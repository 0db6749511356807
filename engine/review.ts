// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { unionOf, unmappedFinding } from './bench.ts';
import { type BenchEnvironment, boundsOf } from './bounds.ts';
import type { Change, Judge, Judgement, ReviewFacts } from './change.ts';
import { environmentOfNamespace, type Project } from './context/project.ts';
import { type Decision, decide } from './decide/decision.ts';
import { type Finding, objectId } from './decide/finding.ts';
import { type Enforcement, errorFinding, failureFinding, findingsOf } from './decide/findings.ts';
import { inherit, inheritedOf } from './decide/inherited.ts';
import { kindFindings, NOT_APPLICABLE, notApplicable, passedOf, remarkFindings } from './decide/standing.ts';
import { type Earlier, earlierOf, oldOf, redactorFor } from './earlier.ts';
import { EngineError } from './error.ts';
import { type Document, distinctImages, locate, type Source } from './manifest/index.ts';
import { conftestInput, type InputFrame, nativeInput } from './policy/input.ts';
import type { Evaluation, Policy } from './policy/policy.ts';
import type { Style } from './policy/rule.ts';
import { canonicalText } from './record/canonical.ts';
import { digestForm, reduceSecret } from './record/secret.ts';
import { listedDigest, listSet, objectOf } from './record/set.ts';
import { keep } from './replay/kept.ts';
import type { ObjectSchema } from './schema/index.ts';

/** What one environment asks for; `name` and `tier` are absent where there is no Project. */
export interface Bench {
  readonly policies: readonly Policy[];
  readonly enforcement: Readonly<Record<string, Enforcement>>;
  readonly environment?: BenchEnvironment;
  readonly projectDigest?: string;
  /** Kubernetes' schema; absent at admission, where the API server has decoded the object, and where it is switched off. */
  readonly schema?: ObjectSchema;
  /** In Conftest's style too, a builtin that fails is an error; in native rules it always is. */
  readonly strictErrors?: true;
  /** Whether what is evaluated is kept beside the records. */
  readonly keepsInputs?: true;
  /** What is judged was kept and holds no secret value any more: nothing is looked for in what is said of it. */
  readonly isMasked?: true;
}

/** One object with everything said of it. */
interface Reviewed {
  readonly findings: readonly Finding[];
  /** Lines of the input digest. */
  readonly inputs: readonly string[];
  /** Codes of the rules that ran on it and returned; only they can have passed. */
  readonly ran: readonly string[];
}

type Said = Pick<Reviewed, 'findings' | 'ran'>;

/** The judge of one environment. The whole evaluation, read from top to bottom. */
export function openJudge(bench: Bench): Judge {
  return { review: (change, facts) => review(bench, change, facts) };
}

/**
 * The judge of a whole Project: the environment follows from the request's namespace; what has none belongs to the environment
 * that is `clusterScoped`. What is of no environment is as the Project's `unmapped` says, deny where it says nothing: an unset
 * scope is no scope. Under `warn` an object of no namespace is judged by the rules of all environments besides, since it reaches
 * into the namespaces of each: a ClusterRole of everything is no less one for having no environment.
 */
export function openProjectJudge(project: Project, benches: ReadonlyMap<string, Bench>): Judge {
  const everywhere = unionOf([...benches.values()], project.digest);
  return {
    review: (change, facts) => {
      const { namespace } = change;
      const environment = environmentOfNamespace(project, namespace);
      const bench = environment === undefined ? undefined : benches.get(environment.name);
      if (bench !== undefined) return review(bench, change, facts);
      const isReaching = namespace === undefined && project.unmapped === 'warn';
      const unmapped = unmappedFinding(namespace, project.unmapped);
      return review(isReaching ? everywhere : unionOf([], project.digest), change, facts, unmapped);
    },
  };
}

/** Judges one change; `unmapped` is what is said of a namespace of no environment. */
export function review(
  bench: Bench,
  change: Change,
  { time, id, onProgress }: ReviewFacts,
  unmapped?: Omit<Finding, 'object'>,
): Judgement {
  const context = contextOf(bench, change, time);
  const frame = frameOf(change, context);
  const place = placer(change);
  const same = once();
  const reviewed = change.documents.map((document, index) => {
    const earlier = earlierOf(change, document);
    const one = reviewDocument(bench, document, { ...frame, earlier }, time);
    // Its content may not be at hand any more when the next one is looked at.
    if (document.isHeld === true && change.operation !== 'DELETE') listedDigest(document);
    onProgress?.(index + 1, change.documents.length);
    if (unmapped === undefined)
      return { ...one, findings: place(one.findings, document), ran: same(one.ran) };
    // Whatever it was before, its place was the same.
    const finding = unmapped.result === 'fail' && earlier() !== undefined ? inheritedOf(unmapped) : unmapped;
    return {
      ...one,
      findings: place([{ ...finding, object: objectOf(document) }, ...one.findings], document),
      ran: same([finding.rule, ...one.ran]),
    };
  });
  const codes = bench.policies.flatMap((policy) => policy.rules).map((rule) => rule.code);
  if (unmapped !== undefined) codes.push(unmapped.rule);
  return judgementOf(bench, change, { time, id, context, reviewed, codes, unmapped });
}

interface Outcome {
  readonly time: Date;
  readonly id: string;
  /** `input.context`, as JSON text. */
  readonly context: string;
  readonly reviewed: readonly Reviewed[];
  readonly codes: readonly string[];
  readonly unmapped: Omit<Finding, 'object'> | undefined;
}

function judgementOf(bench: Bench, change: Change, outcome: Outcome): Judgement {
  const { time, id, context, reviewed, codes } = outcome;
  const redact = bench.isMasked ? (finding: Finding): Finding => finding : redactorFor(change);
  const set = listSet(change.documents, change.operation === 'DELETE');
  const decision = decide({
    id,
    phase: change.phase,
    operations: change.phase === 'check' ? ['CREATE', 'UPDATE'] : [change.operation],
    enforced: true,
    findings: reviewed.flatMap(({ findings }) => findings.map(redact)),
    passed: passedOf(codes, reviewed),
    evaluated: {
      objects: change.documents.length,
      rules: new Set(reviewed.flatMap(({ ran }) => ran)).size,
    },
    policies: [...bench.policies.map((policy) => policy.reference), ...(bench.schema?.references ?? [])],
    ...digests(bench, context, reviewed),
    setDigest: set.digest,
    time: time.toISOString(),
  });
  const { requester } = change;
  return {
    decision,
    set,
    images: () => (change.operation === 'DELETE' ? [] : distinctImages(change.documents)),
    ...(requester === undefined ? {} : { requester }),
    ...boundsOf(bench.environment, decision, time),
    ...(bench.keepsInputs
      ? { kept: () => keep({ change, bench, decision, unmapped: outcome.unmapped }) }
      : {}),
  };
}

/** `input.context` as JSON text: the only clock that Rego sees, and the environment and tokens where there are any. */
function contextOf(bench: Bench, { oidc }: Change, time: Date): string {
  const { environment } = bench;
  return canonicalText({
    time: time.toISOString(),
    ...(oidc === undefined ? {} : { oidc }),
    ...(environment === undefined ? {} : { environment: { name: environment.name, tier: environment.tier } }),
  });
}

function frameOf(change: Change, context: string): InputFrame {
  return {
    phase: change.phase,
    operation: change.operation,
    context,
    ...(change.request === undefined ? {} : { request: change.request }),
    ...(change.oldObject === undefined ? {} : { oldObject: reduceSecret(oldOf(change.oldObject)) }),
    ...(change.claims === undefined ? {} : { claims: change.claims }),
  };
}

function reviewDocument(
  bench: Bench,
  document: Document,
  frame: InputFrame & { readonly earlier: () => Earlier | undefined },
  time: Date,
): Reviewed {
  const object = objectOf(document);
  const findings: Finding[] = [];
  const ran: string[] = [];
  const inputs = new Map<Style, Uint8Array>();
  const earlierLines: string[] = [];
  for (const policy of bench.policies) {
    for (const style of policy.styles) {
      const input = inputs.get(style) ?? inputFor(style, document, frame);
      if (input === undefined) continue;
      inputs.set(style, input);
      const isStrict = style === 'native' || bench.strictErrors === true;
      const ask = (asked: Uint8Array): Said =>
        evaluate(policy, { style, input: asked, isStrict }, { object, time, enforcement: bench.enforcement });
      const said = ask(input);
      ran.push(...said.ran);
      const earlier = said.findings.some(({ result }) => result === 'fail') ? frame.earlier() : undefined;
      const before = earlier && inputFor(style, earlier.document, frame);
      if (earlier === undefined || before === undefined) findings.push(...said.findings);
      else {
        const about = { unchanged: earlier.unchanged, style };
        findings.push(...inherit(said.findings, ask(before).findings, about));
        earlierLines.push(inputLine(style, before, earlier.document));
      }
    }
    if (policy.styles.includes('native')) findings.push(...kindFindings(document.id !== undefined, object));
  }
  findings.push(...remarkFindings(document.remarks, object));
  findings.push(...(bench.schema?.findingsOf(document, object) ?? []));
  if (inputs.size === 0 && bench.policies.length > 0) {
    findings.push(notApplicable(frame.operation, object));
    ran.push(NOT_APPLICABLE);
  }
  return {
    ran,
    findings: dedupe(findings),
    inputs: [
      ...[...inputs].map(([style, input]) => inputLine(style, input, document)),
      ...new Set(earlierLines),
    ],
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
): Said {
  const { name } = policy.reference;
  let said: Evaluation;
  try {
    said = policy.evaluate(asked.style, asked.input, { time: frame.time, isStrict: asked.isStrict });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { findings: [errorFinding(name, error, frame.object)], ran: [] };
  }
  const failed = said.failures.map((failure) => failureFinding(name, failure, frame.object));
  const rules = policy.rules.filter((rule) => rule.style === asked.style).map((rule) => rule.code);
  // Where a builtin failed it is not known which rules it was needed for.
  return { findings: [...findingsOf(said.results, frame), ...failed], ran: failed.length > 0 ? [] : rules };
}

/** Two policies may say the same thing of an object (`manifest.kind`); it is said once. */
function dedupe(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = JSON.stringify([finding.rule, finding.result, finding.path ?? '', finding.message]);
    return !seen.has(key) && seen.add(key);
  });
}

/** Gives each finding its place in the file that its document came from. */
function placer(change: Change): (findings: readonly Finding[], document: Document) => readonly Finding[] {
  const sources = new Map<string, Source>(change.sources.map((source) => [source.name, source]));
  return (findings, document) => {
    const source = sources.get(document.file);
    if (source === undefined || findings.length === 0) return findings;
    return findings.map((finding) => ({
      ...finding,
      location: locate(source, document, finding.path ?? ''),
    }));
  };
}

/** Of equal lists one: the rules that run are the same for nearly all objects. */
function once(): (codes: readonly string[]) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (codes) => {
    const key = codes.join('\n');
    const first = known.get(key) ?? codes;
    known.set(key, first);
    return first;
  };
}

/** One line of the input digest; a Secret's line is over its reduced form, since a digest of values lets anyone test guesses. */
function inputLine(style: Style, input: Uint8Array, document: Document): string {
  const bytes = style === 'native' ? input : digestForm(document);
  return [hash('sha256', bytes, 'hex'), '  ', objectId(objectOf(document)), '\n'].join('');
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
