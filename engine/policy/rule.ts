// SPDX-License-Identifier: Apache-2.0
import type { Severity } from '../decide/finding.ts';

export type Style = 'native' | 'conftest';
export type Effect = 'fail' | 'warn' | 'exception';

/** One rule as reports and records name it. A native rule is a package, a Conftest rule one `deny…`, `violation…` or `warn…`. */
export interface Rule {
  /** `category.name` for native rules, `<package>.<rule>` for Conftest's. */
  readonly code: string;
  readonly style: Style;
  readonly title: string;
  readonly severity: Severity;
  readonly controls: readonly string[];
  readonly remedy?: string;
  /** Before this date (RFC 3339: a date in UTC, or a time with its offset) a fail is a warning. */
  readonly effectiveOn?: string;
  /** JSON Schema of `input.parameters`; absent where the rule takes none. */
  readonly parameters?: unknown;
}

/** One value of the generated entrypoint: where it comes from in Rego and what it means. */
export interface Entry {
  /** Key in the entrypoint's result. */
  readonly key: string;
  /** `data.<package>.<rule>` as path segments below `data`. */
  readonly path: readonly string[];
  readonly effect: Effect;
  readonly rule: Rule;
}
