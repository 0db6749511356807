// SPDX-License-Identifier: Apache-2.0
import type { Args } from '../args.ts';
import { UsageError } from '../exit.ts';

/** What `--fail-on` lifts to a denial. @throws {UsageError} */
export function failOnOf(args: Args): 'fail' | 'warn' {
  const value = args.text('fail-on') ?? 'fail';
  if (value === 'fail' || value === 'warn') return value;
  throw new UsageError(`--fail-on ${JSON.stringify(value)} is not known`, '--fail-on fail or --fail-on warn');
}
