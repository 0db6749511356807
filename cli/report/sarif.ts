// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { type Decision, type Finding, objectId } from '../../engine/index.ts';
import type { ReportFrame } from './report.ts';

const LEVELS = { fail: 'error', error: 'error', warn: 'warning', skip: 'note' } as const;
const SCORES = { low: '3.0', medium: '5.5', high: '8.0', critical: '9.5' } as const;

/** SARIF 2.1.0 as code scanning services read it. @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
export function sarifReport(decision: Decision, frame: ReportFrame): string {
  const codes = [...new Set(decision.findings.map((finding) => finding.rule))].sort();
  const run = {
    tool: {
      driver: {
        name: 'countersign',
        version: frame.version,
        informationUri: 'https://countersign.dev',
        rules: codes.map((code) => ruleOf(code, decision, frame)),
      },
    },
    automationDetails: { id: `countersign/${decision.environment ?? 'baseline'}/` },
    invocations: [{ executionSuccessful: decision.verdict !== 'error' }],
    columnKind: 'utf16CodeUnits',
    results: decision.findings.map((finding) => resultOf(finding, codes.indexOf(finding.rule))),
  };
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

function ruleOf(code: string, decision: Decision, frame: ReportFrame): object {
  const first = decision.findings.find((finding) => finding.rule === code);
  const known = frame.titles.get(code);
  return {
    id: code,
    shortDescription: { text: known?.title ?? code },
    ...(known?.remedy === undefined ? {} : { help: { text: known.remedy } }),
    properties: {
      tags: [...(first?.controls ?? [])],
      'security-severity': SCORES[first?.severity ?? 'medium'],
    },
  };
}

function resultOf(finding: Finding, ruleIndex: number): object {
  const id = objectId(finding.object);
  const print = createHash('sha256')
    .update(JSON.stringify([finding.rule, id, finding.path ?? '', finding.message]))
    .digest('hex');
  return {
    ruleId: finding.rule,
    ruleIndex,
    level: LEVELS[finding.result],
    message: {
      text: finding.remedy === undefined ? finding.message : `${finding.message}\n${finding.remedy}`,
    },
    locations: [
      {
        ...physical(finding),
        logicalLocations: [{ fullyQualifiedName: `${id}${finding.path ?? ''}`, kind: 'object' }],
      },
    ],
    partialFingerprints: { 'countersign/v1': print },
    // SARIF 3.35: what somebody outside of the tool has decided.
    ...(finding.waiver === undefined
      ? {}
      : { suppressions: [{ kind: 'external', justification: `signed statement sha256:${finding.waiver}` }] }),
  };
}

/**
 * A relative URI reference for the file (§3.4.3), its parts percent-encoded. Of what was rendered it is the template or resource file, at
 * its first line: the finding's own line is one of the rendered stream, and no viewer may look for it in the file.
 */
function physical({ location }: Finding): object {
  if (location === undefined || location.file === '-') return {};
  const { source, file, line, column } = location;
  const uri = (source ?? file)
    .replaceAll('\\', '/')
    .split('/')
    .map(encodeURIComponent)
    .join('/')
    .replace(/^(?:\.\/)+/, '');
  return {
    physicalLocation: {
      artifactLocation: { uri },
      region: source === undefined ? { startLine: line, startColumn: column } : { startLine: 1 },
    },
    ...(source === undefined ? {} : { properties: { rendered: { path: file, line, column } } }),
  };
}
