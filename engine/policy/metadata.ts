// SPDX-License-Identifier: Apache-2.0
import type { Severity } from '../decide/finding.ts';
import { EngineError, type Problem } from '../error.ts';
import type { RegoAnnotation, RegoModuleInfo } from '../toolchain/rego.ts';
import type { Rule } from './rule.ts';

const SEVERITIES: ReadonlySet<string> = new Set(['low', 'medium', 'high', 'critical']);

const isSeverity = (value: unknown): value is Severity => typeof value === 'string' && SEVERITIES.has(value);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/** What an annotation's `custom` section says of a rule; parts that are missing or malformed are left out. */
function describe(annotation: RegoAnnotation | undefined): Partial<Rule> {
  const custom: Record<string, unknown> = isRecord(annotation?.custom) ? annotation.custom : {};
  const title = text(annotation?.title);
  const remedy = text(custom['remedy']);
  const stated = custom['effective_on'];
  const effectiveOn = stated === undefined || typeof stated === 'string' ? stated : JSON.stringify(stated);
  return {
    ...(title === undefined ? {} : { title }),
    ...(isSeverity(custom['severity']) ? { severity: custom['severity'] } : {}),
    controls: strings(custom['controls']),
    ...(remedy === undefined ? {} : { remedy }),
    ...(effectiveOn === undefined ? {} : { effectiveOn }),
    ...(custom['parameters'] === undefined ? {} : { parameters: custom['parameters'] }),
  };
}

/** The annotation of a package, or of the named rule in it. */
function annotationOf(module: RegoModuleInfo, rule?: string): RegoAnnotation | undefined {
  const target = rule === undefined ? `data.${module.package}` : `data.${module.package}.${rule}`;
  return module.annotations.find(
    (annotation) => annotation.scope !== 'subpackages' && annotation.path === target,
  );
}

/**
 * The rule that a native module defines. Metadata is mandatory (title, description, custom.severity, custom.controls,
 * custom.remedy): a rule that cannot say what it is for cannot be handed to an auditor.
 * @throws {EngineError} POLICY_METADATA with one problem for each missing part
 */
export function nativeRule(module: RegoModuleInfo, code: string): Rule {
  const annotation = annotationOf(module);
  const found = describe(annotation);
  const missing = [
    ['title', found.title],
    ['description', text(annotation?.description)],
    ['custom.severity', found.severity],
    [
      'custom.controls',
      isRecord(annotation?.custom) && Array.isArray(annotation.custom['controls']) ? true : undefined,
    ],
    ['custom.remedy', found.remedy],
  ].flatMap(([name, value]) => (value === undefined ? [String(name)] : []));
  const problems = [
    ...missing.map((name) => `metadata ${JSON.stringify(name)} is missing`),
    ...badDate(found.effectiveOn),
  ];
  if (problems.length > 0 || found.title === undefined || found.severity === undefined) {
    throw metadataError(module, problems);
  }
  return {
    code,
    style: 'native',
    title: found.title,
    severity: found.severity,
    controls: found.controls ?? [],
    ...rest(found),
  };
}

/** The rule that a Conftest module's `deny…`, `violation…` or `warn…` is; metadata is optional, severity medium if unstated. */
export function conftestRule(module: RegoModuleInfo, name: string): Rule {
  const found = describe(annotationOf(module, name) ?? annotationOf(module));
  const problems = badDate(found.effectiveOn);
  if (problems.length > 0) throw metadataError(module, problems);
  const code = `${module.package}.${name}`;
  return {
    code,
    style: 'conftest',
    title: found.title ?? code,
    severity: found.severity ?? 'medium',
    controls: found.controls ?? [],
    ...rest(found),
  };
}

const rest = (found: Partial<Rule>): Pick<Rule, 'remedy' | 'effectiveOn' | 'parameters'> => ({
  ...(found.remedy === undefined ? {} : { remedy: found.remedy }),
  ...(found.effectiveOn === undefined ? {} : { effectiveOn: found.effectiveOn }),
  ...(found.parameters === undefined ? {} : { parameters: found.parameters }),
});

const DATE = /^\d{4}-\d{2}-\d{2}(?:T(?:[01]\d|2[0-3]):\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * A date (from midnight UTC on), or a time with its offset: without one it would be another time on each machine.
 * @see https://www.rfc-editor.org/rfc/rfc3339  §5.6
 */
function badDate(effectiveOn: string | undefined): string[] {
  if (effectiveOn === undefined || isDate(effectiveOn)) return [];
  return [
    `metadata "custom.effective_on" is not a date, or a time with its offset: ${JSON.stringify(effectiveOn)}`,
  ];
}

/** The day must exist: JavaScript reads February 30th as a day of March. */
function isDate(text: string): boolean {
  const day = text.slice(0, 10);
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return (
    DATE.test(text) &&
    Number.isFinite(Date.parse(text)) &&
    new Date(midnight).toISOString().slice(0, 10) === day
  );
}

function metadataError(module: RegoModuleInfo, messages: readonly string[]): EngineError {
  const location = { file: module.file, line: 1, column: 1 };
  const problems: Problem[] = messages.map((message) => ({ message, location }));
  return new EngineError('POLICY_METADATA', `${JSON.stringify(module.package)} does not say what it is for`, {
    problems,
    hint: 'native rules need a "# METADATA" block with "# scope: package", title, description and custom: severity, controls, remedy',
  });
}
