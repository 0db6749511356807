// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { type Bench, unionOf, unmappedFinding } from './bench.ts';
import { boundsOf } from './bounds.ts';
import type { Change, Judge, Judgement, ReviewFacts } from './change.ts';
import { environmentOfNamespace, type Project } from './context/project.ts';
import { type Decision, decide } from './decide/decision.ts';
import type { Finding } from './decide/finding.ts';
import { errorFinding, failureFinding, findingsOf } from './decide/findings.ts';
import { inherit, inheritedOf } from './decide/inherited.ts';
import { kindFindings, NOT_APPLICABLE, notApplicable, passedOf, remarkFindings } from './decide/standing.ts';
import { type Earlier, earlierOf, oldOf, redactorFor } from './earlier.ts';
import { EngineError } from './error.ts';
import { type Document, distinctImages, locate, type Source } from './manifest/index.ts';
import { type Stand, standAt } from './people/standing.ts';
import { conftestInput, type InputFrame, nativeInput } from './policy/input.ts';
import type { Evaluation, Policy } from './policy/policy.ts';
import type { Style } from './policy/rule.ts';
import { canonicalText } from './record/canonical.ts';
import { inputDigest, inputLine } from './record/inputs.ts';
import { reduceSecret } from './record/secret.ts';
import { listedDigest, listSet, type ObjectSet, objectOf } from './record/set.ts';
import { keep } from './replay/kept.ts';

export type { Bench } from './bench.ts';

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
  // Only what people signed is about the whole set, and asks for its digest before its objects are looked at.
  const listed = bench.standing === undefined ? undefined : setOf(change);
  const at = { environment: bench.environment?.name, change, setDigest: listed?.digest ?? '', time };
  const stand = standAt(bench.standing, at);
  const reviewed = change.documents.map((document, index) => {
    const earlier = earlierOf(change, document);
    const one = reviewDocument(bench, document, { ...frame, earlier }, time);
    // Its content may not be at hand any more when the next one is looked at.
    if (document.isHeld === true && change.operation !== 'DELETE') listedDigest(document);
    onProgress?.(index + 1, change.documents.length);
    const found = [...one.findings, ...stand.ofDocument(document, () => earlier() !== undefined)];
    if (unmapped === undefined) return { ...one, findings: place(found, document), ran: same(one.ran) };
    // Whatever it was before, its place was the same.
    const finding = unmapped.result === 'fail' && earlier() !== undefined ? inheritedOf(unmapped) : unmapped;
    return {
      ...one,
      findings: place([{ ...finding, object: objectOf(document) }, ...found], document),
      ran: same([finding.rule, ...one.ran]),
    };
  });
  const codes = bench.policies.flatMap((policy) => policy.rules).map((rule) => rule.code);
  if (unmapped !== undefined) codes.push(unmapped.rule);
  return judgementOf(bench, change, {
    time,
    id,
    context,
    reviewed,
    codes,
    set: listed ?? setOf(change),
    stand,
    unmapped,
  });
}

const setOf = ({ documents, operation }: Change): ObjectSet => listSet(documents, operation === 'DELETE');

interface Outcome {
  readonly time: Date;
  readonly id: string;
  /** `input.context`, as JSON text. */
  readonly context: string;
  readonly reviewed: readonly Reviewed[];
  readonly codes: readonly string[];
  readonly set: ObjectSet;
  readonly stand: Stand;
  readonly unmapped: Omit<Finding, 'object'> | undefined;
}

function judgementOf(bench: Bench, change: Change, outcome: Outcome): Judgement {
  const { time, id, context, reviewed, codes, set, stand, unmapped } = outcome;
  const redact = bench.isMasked ? (finding: Finding): Finding => finding : redactorFor(change);
  const decision = decide({
    id,
    phase: change.phase,
    operations: change.phase === 'check' ? ['CREATE', 'UPDATE'] : [change.operation],
    enforced: true,
    findings: stand.settle(reviewed.flatMap(({ findings }) => findings.map(redact))),
    passed: passedOf(codes, reviewed),
    evaluated: {
      objects: change.documents.length,
      rules: new Set(reviewed.flatMap(({ ran }) => ran)).size,
    },
    policies: [...bench.policies.map((policy) => policy.reference), ...(bench.schema?.references ?? [])],
    ...digests(bench, change, { context, reviewed }),
    setDigest: set.digest,
    time: time.toISOString(),
  });
  const { requester, asked } = change;
  return {
    decision,
    set,
    images: () => (change.operation === 'DELETE' ? [] : distinctImages(change.documents)),
    ...(requester && { requester }),
    proved: change,
    ...(asked && { asked }),
    ...(stand.approvalRule && { approvalRule: stand.approvalRule }),
    ...boundsOf(bench.environment, decision, { time, endsAt: stand.endsAt(decision.findings) }),
    ...(bench.keepsInputs && { kept: () => keep({ change, bench, decision, unmapped }) }),
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

function digests(
  bench: Bench,
  change: Change,
  { context, reviewed }: Pick<Outcome, 'context' | 'reviewed'>,
): Pick<Decision, 'inputDigest' | 'contextDigest' | 'projectDigest' | 'trustDigest' | 'environment'> {
  const trustDigest = change.trustDigest ?? bench.trustDigest;
  return {
    inputDigest: inputDigest(reviewed.flatMap(({ inputs }) => inputs)),
    contextDigest: hash('sha256', context, 'hex'),
    ...(bench.projectDigest === undefined ? {} : { projectDigest: bench.projectDigest }),
    ...(trustDigest === undefined ? {} : { trustDigest }),
    ...(bench.environment === undefined ? {} : { environment: bench.environment.name }),
  };
}
