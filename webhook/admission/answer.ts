// SPDX-License-Identifier: Apache-2.0
import type { Decision, Finding } from '../../engine/index.ts';
import { cut, oneLine } from './text.ts';

/** The response of an AdmissionReview without its uid. */
export interface Answer {
  readonly allowed: boolean;
  readonly status?: {
    readonly status: 'Failure';
    readonly reason: 'Forbidden' | 'InternalError';
    /** 403: the policy says no. 500: there is no answer. The HTTP status is 200 for both. */
    readonly code: 403 | 500;
    readonly message: string;
  };
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

const MESSAGE_BYTES = 2048;
const LINE_CHARACTERS = 400;
/** The API server cuts a warning at 256 runes and drops what comes after 4,096 in all; it asks for 120. */
const WARNING_CHARACTERS = 120;
const WARNINGS_CHARACTERS = 4096;

/**
 * Turns a Decision into the answer that the API server shows: a denial is a 403 with one line per finding, an error a
 * 500, an allow may carry warnings. A denial that is not enforced is an allow that warns; an error always blocks.
 */
export function answerDecision(decision: Decision): Answer {
  const about = { ...warningsOf(decision), auditAnnotations: annotationsOf(decision) };
  if (decision.verdict === 'allow') return { allowed: true, ...about };
  if (decision.verdict === 'deny' && !decision.enforced) return { allowed: true, ...about };
  return decision.verdict === 'deny'
    ? { allowed: false, status: denialOf(decision), ...about }
    : { allowed: false, status: errorOf(decision), ...about };
}

/** The answer when we have none: whoever asked is refused and told the error code. */
export function answerFailure(code: string, message: string, hint?: string): Answer {
  const lines = [`countersign: no answer [${code}]: ${cut(oneLine(message), LINE_CHARACTERS)}`];
  if (hint !== undefined) lines.push(`hint: ${cut(oneLine(hint), LINE_CHARACTERS)}`);
  return {
    allowed: false,
    status: { status: 'Failure', reason: 'InternalError', code: 500, message: lines.join('\n') },
  };
}

/** The whole AdmissionReview as JSON, its audit annotations last. The only place where the uid is copied. */
export function renderReview(uid: string, { auditAnnotations, ...answer }: Answer): string {
  const response = { uid, ...answer, ...(auditAnnotations === undefined ? {} : { auditAnnotations }) };
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response });
}

/** What ends the annotations, the response and the review. */
const END = '}}}';

/** The same with one more annotation: the record that the ledger holds. The text is that of a Decision's answer. */
export function withRecord(review: string, recordId: string): string {
  return `${review.slice(0, -END.length)},"record":${JSON.stringify(recordId)}${END}`;
}

function denialOf(decision: Decision): NonNullable<Answer['status']> {
  const fails = decision.findings.filter((finding) => finding.result === 'fail');
  const rules = new Set(fails.map((finding) => finding.rule)).size;
  const header = `countersign: denied by ${rules} ${rules === 1 ? 'rule' : 'rules'}`;
  return { status: 'Failure', reason: 'Forbidden', code: 403, message: messageOf(header, fails) };
}

function errorOf(decision: Decision): NonNullable<Answer['status']> {
  const errors = decision.findings.filter((finding) => finding.result === 'error');
  const empty = decision.evaluated.objects === 0 || decision.evaluated.rules === 0;
  // Where a policy broke, no rule counts as evaluated: that is what is to be told then.
  const header =
    empty && errors.length === 0
      ? 'countersign: no answer [POLICY_EMPTY]: nothing was checked, which is never a pass'
      : 'countersign: no answer [POLICY_EVALUATION]: rules could not be evaluated';
  return { status: 'Failure', reason: 'InternalError', code: 500, message: messageOf(header, errors) };
}

/** The header and one line per finding, as many as fit; what does not fit is counted. */
function messageOf(header: string, findings: readonly Finding[]): string {
  const lines = [header];
  const more = (count: number): string => `… and ${count} more`;
  let left = MESSAGE_BYTES - Buffer.byteLength(header) - Buffer.byteLength(more(findings.length)) - 1;
  for (const [index, finding] of findings.entries()) {
    const line = `- ${lineOf(finding)}`;
    left -= Buffer.byteLength(line) + 1;
    if (left < 0) {
      lines.push(more(findings.length - index));
      break;
    }
    lines.push(line);
  }
  return lines.join('\n');
}

function lineOf(finding: Finding): string {
  const path = finding.path === undefined || finding.path === '' ? '' : ` (${finding.path})`;
  const remedy = finding.remedy === undefined ? '' : ` — ${finding.remedy}`;
  return cut(oneLine(`${finding.rule}: ${finding.message}${path}${remedy}`), LINE_CHARACTERS);
}

/** Findings that do not block here, each a warning that kubectl prints. */
function warningsOf(decision: Decision): { readonly warnings?: readonly string[] } {
  const blocks = decision.enforced || decision.verdict === 'error';
  const findings = decision.findings.filter(
    ({ result }) => result === 'warn' || (result === 'fail' && !blocks),
  );
  const warnings: string[] = [];
  let left = WARNINGS_CHARACTERS - WARNING_CHARACTERS;
  for (const [index, finding] of findings.entries()) {
    const note =
      finding.result === 'fail' ? ' (would be denied)' : finding.inherited === true ? ' (as it was)' : '';
    const warning =
      cut(oneLine(`${finding.rule}: ${finding.message}`), WARNING_CHARACTERS - note.length) + note;
    left -= Array.from(warning).length;
    if (left < 0) {
      warnings.push(`countersign: … and ${findings.length - index} more warnings`);
      break;
    }
    warnings.push(warning);
  }
  return warnings.length === 0 ? {} : { warnings };
}

/** For the cluster's audit log, where each key is prefixed with the webhook's name. */
function annotationsOf(decision: Decision): Record<string, string> {
  return {
    decision: decision.id,
    verdict: decision.verdict,
    ...(decision.enforced ? {} : { enforced: 'false' }),
  };
}
