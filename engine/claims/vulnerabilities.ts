// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../manifest/document.ts';
import { at, known, listAt, textAt, textsAt, timeAt } from './member.ts';

/** How bad a vulnerability is, by whatever word or number its scanner has for it; worst first. */
const SEVERITIES = ['critical', 'high', 'medium', 'low', 'negligible', 'unknown'] as const;
type Severity = (typeof SEVERITIES)[number];

/** The forms of a scanner's result that are read. */
export type ResultForm = 'result-trivy' | 'result-grype' | 'result-in-toto';

/** The form that a result claims to have, by the members that mark it; undefined for one that is not read. */
export function formOf(result: unknown): ResultForm | undefined {
  if (Array.isArray(result)) return 'result-in-toto';
  if (at(result, 'SchemaVersion') !== undefined) return 'result-trivy';
  return at(result, 'matches') !== undefined || at(result, 'descriptor') !== undefined
    ? 'result-grype'
    : undefined;
}

const WORDS: Readonly<Record<ResultForm, (result: unknown) => readonly JsonObject[]>> = {
  'result-trivy': (result) =>
    listAt(result, 'Results').flatMap((target) => listAt(target, 'Vulnerabilities').map(ofTrivy)),
  'result-grype': (result) => listAt(result, 'matches').map(ofGrype),
  'result-in-toto': (result) => listAt({ result }, 'result').map(ofInToto),
};

/** cosign's vuln/v1 and in-toto's vulns, whose result is the scanner's own. @see https://github.com/in-toto/attestation/blob/main/spec/predicates/vuln.md */
export function scanRecord(predicate: unknown): JsonObject {
  const scanner = at(predicate, 'scanner');
  const result = at(scanner, 'result');
  const uri = textAt(scanner, 'uri');
  return known({
    ...scan(result),
    scanner: known({
      name: nameOf(result, uri),
      uri,
      version: textAt(scanner, 'version'),
      databaseUpdatedAt: timeAt(scanner, 'db', 'lastUpdate'),
    }),
    scannedAt: timeAt(predicate, 'metadata', 'scanFinishedOn'),
  });
}

/** A report of Trivy or Grype that stands for itself. */
export function scanReport(report: unknown): JsonObject {
  return known({
    ...scan(report),
    scanner: known({
      name: nameOf(report, undefined),
      version: textAt(report, 'descriptor', 'version') ?? textAt(report, 'Trivy', 'Version'),
    }),
    scannedAt: timeAt(report, 'CreatedAt') ?? timeAt(report, 'descriptor', 'timestamp'),
  });
}

/** The list and its counts; neither where the form is not known, so that nothing looks like a scan that found nothing. */
function scan(result: unknown): Readonly<Record<string, JsonValue | undefined>> {
  const form = formOf(result);
  const vulnerabilities = form === undefined ? undefined : WORDS[form](result);
  return {
    kind: 'vulnerabilities',
    format: form?.slice('result-'.length) ?? 'other',
    vulnerabilities,
    counts: vulnerabilities === undefined ? undefined : countsOf(vulnerabilities),
  };
}

/** One name for a scanner, whatever version it is of: of each scanner the newest scan counts. */
function nameOf(result: unknown, uri: string | undefined): string {
  if (at(result, 'SchemaVersion') !== undefined) return 'trivy';
  return textAt(result, 'descriptor', 'name')?.toLowerCase() ?? uri?.replace(/@[^/]*$/, '') ?? 'other';
}

const countsOf = (vulnerabilities: readonly JsonObject[]): JsonObject =>
  Object.fromEntries(
    SEVERITIES.map((severity) => [
      severity,
      vulnerabilities.filter((found) => found['severity'] === severity).length,
    ]),
  );

const severityOf = (text: string | undefined): Severity =>
  SEVERITIES.find((severity) => severity === text?.toLowerCase()) ?? 'unknown';

function ofTrivy(item: unknown): JsonObject {
  const fixed = textAt(item, 'FixedVersion');
  return known({
    id: textAt(item, 'VulnerabilityID'),
    severity: severityOf(textAt(item, 'Severity')),
    package: textAt(item, 'PkgName'),
    version: textAt(item, 'InstalledVersion'),
    fixedIn: fixed === undefined ? [] : fixed.split(', '),
    publishedAt: timeAt(item, 'PublishedDate'),
    status: textAt(item, 'Status'),
  });
}

/** Grype does not say when a vulnerability was published. */
function ofGrype(match: unknown): JsonObject {
  return known({
    id: textAt(match, 'vulnerability', 'id'),
    severity: severityOf(textAt(match, 'vulnerability', 'severity')),
    package: textAt(match, 'artifact', 'name'),
    version: textAt(match, 'artifact', 'version'),
    fixedIn: textsAt(match, 'vulnerability', 'fix', 'versions'),
    status: textAt(match, 'vulnerability', 'fix', 'state'),
  });
}

/** The specification's text and its example differ: id and severity may stand below `vulnerability` or not. */
function ofInToto(item: unknown): JsonObject {
  const found = at(item, 'vulnerability') ?? item;
  const severities = listAt(found, 'severity').map((score) => severityOfScore(at(score, 'score')));
  return known({
    id: textAt(found, 'id'),
    severity: SEVERITIES.find((severity) => severities.includes(severity)) ?? 'unknown',
  });
}

/** A word, or a number as CVSS 3 grades them. @see https://www.first.org/cvss/v3.1/specification-document §5 */
function severityOfScore(score: unknown): Severity {
  const text = String(score);
  const number = /^\d{1,2}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(number)) return severityOf(text);
  if (number >= 9) return 'critical';
  if (number >= 7) return 'high';
  if (number >= 4) return 'medium';
  return number > 0 ? 'low' : 'negligible';
}
