// SPDX-License-Identifier: Apache-2.0
import type { Judgement } from './change.ts';
import type { Environment } from './context/project.ts';
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

/**
 * Where and until when the verdict of a check holds; an admission's is about its one request.
 * @param endsAt when the first of what people signed ends that the verdict rests on, Unix time in milliseconds; Infinity for none
 */
export function boundsOf(
  environment: BenchEnvironment | undefined,
  { phase, verdict }: Decision,
  { time, endsAt }: { readonly time: Date; readonly endsAt: number },
): Pick<Judgement, 'scope' | 'startBy'> {
  if (phase !== 'check' || environment === undefined) return {};
  const { namespaces, startWithin } = environment;
  const startBy =
    verdict === 'allow' && startWithin !== undefined
      ? new Date(Math.min(time.getTime() + startWithin * 1000, endsAt)).toISOString()
      : undefined;
  return {
    ...(namespaces === undefined ? {} : { scope: { namespaces } }),
    ...(startBy === undefined ? {} : { startBy }),
  };
}

const UNITS: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };
const PRODUCTION_SECONDS = 8 * 3600;
const MOST_SECONDS = 7 * 86_400;

/** How long an allow of this environment may wait, in seconds: eight hours in production, else seven days, where it says nothing. */
export function startSeconds({ tier, startWithin }: Environment): number {
  if (startWithin === undefined) return tier === 'production' ? PRODUCTION_SECONDS : MOST_SECONDS;
  return Math.min(Number(startWithin.slice(0, -1)) * (UNITS[startWithin.slice(-1)] ?? 0), MOST_SECONDS);
}
