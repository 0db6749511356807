// SPDX-License-Identifier: Apache-2.0

/** What one evaluation cost. */
interface Cost {
  readonly fuelUsed: bigint;
  readonly heapBytes: number;
}

/** What a bench found; `fuel` (steps) and `memoryBytes` are those of the dearest call and equal on every machine. */
export interface BenchFigures {
  readonly evaluations: number;
  readonly perSecond: number;
  /** Microseconds for one evaluation. */
  readonly microseconds: {
    readonly mean: number;
    readonly median: number;
    readonly p99: number;
  };
  readonly fuel: number;
  readonly memoryBytes: number;
}

const WARM_UP_SHARE = 0.25;
/** Enough for percentiles; a longer run keeps no more. */
const MAX_SAMPLES = 1_000_000;

/** Makes the calls in turn for `durationMs`, after a quarter of it to warm up; every call is made at least once. */
export function measure(calls: readonly (() => Cost)[], durationMs: number): BenchFigures {
  repeat(calls, durationMs * WARM_UP_SHARE, () => undefined);
  const samples: number[] = [];
  let [fuel, memoryBytes, evaluations] = [0n, 0, 0];
  const elapsedMs = repeat(calls, durationMs, (cost, tookMs) => {
    if (cost.fuelUsed > fuel) fuel = cost.fuelUsed;
    memoryBytes = Math.max(memoryBytes, cost.heapBytes);
    evaluations++;
    if (samples.length < MAX_SAMPLES) samples.push(tookMs * 1000);
  });
  samples.sort((a, b) => a - b);
  const at = (share: number): number => samples[Math.floor((samples.length - 1) * share)] ?? 0;
  return {
    evaluations,
    perSecond: (evaluations * 1000) / elapsedMs,
    microseconds: { mean: (elapsedMs * 1000) / evaluations, median: at(0.5), p99: at(0.99) },
    fuel: Number(fuel),
    memoryBytes,
  };
}

function repeat(
  calls: readonly (() => Cost)[],
  durationMs: number,
  seen: (cost: Cost, tookMs: number) => void,
): number {
  const start = performance.now();
  let now = start;
  do {
    for (const call of calls) {
      const cost = call();
      const then = performance.now();
      seen(cost, then - now);
      now = then;
    }
  } while (now - start < durationMs);
  return now - start;
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

/** The figures for a reader. */
export function benchText(
  figures: BenchFigures & { readonly module: { readonly bytes: number; readonly sha256: string } },
): string {
  const { microseconds, module } = figures;
  return [
    `evaluations  ${whole(figures.evaluations)}, ${whole(figures.perSecond)} a second`,
    `time         ${microseconds.mean.toFixed(1)} µs each, median ${microseconds.median.toFixed(1)}, 99 % below ${microseconds.p99.toFixed(1)}`,
    `fuel         ${whole(figures.fuel)} steps at most`,
    `memory       ${whole(figures.memoryBytes)} bytes at most`,
    `module       ${whole(module.bytes)} bytes, sha256:${module.sha256}`,
    '',
  ].join('\n');
}
