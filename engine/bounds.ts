// SPDX-License-Identifier: Apache-2.0
import type { Judgement } from './change.ts';
import type { Decision } from './decide/decision.ts';

/** The environment that is judged for. */
export interface BenchEnvironment {
  readonly name: string;
  readonly tier: string;
  /** What an allow of a check is limited to. */
  readonly namespaces?: readonly string[];
  /** How long after an allow its set may still be applied first, in seconds. */
  readonly startWithin?: number;
}

/** Where and until when the verdict of a check holds; an admission's is about its one request. */
export function boundsOf(
  environment: BenchEnvironment | undefined,
  { phase, verdict }: Decision,
  time: Date,
): Pick<Judgement, 'scope' | 'startBy'> {
  if (phase !== 'check' || environment === undefined) return {};
  const { namespaces, startWithin } = environment;
  const starts = verdict === 'allow' && startWithin !== undefined;
  return {
    ...(namespaces === undefined ? {} : { scope: { namespaces } }),
    ...(starts ? { startBy: new Date(time.getTime() + startWithin * 1000).toISOString() } : {}),
  };
}
