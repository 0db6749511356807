// SPDX-License-Identifier: Apache-2.0

/** Counts checks and prints one line for each. */
export interface Tally {
  /** Runs one check: it holds when `attempt` returns, and fails when it throws. */
  readonly check: (text: string, attempt: () => Promise<string | undefined>) => Promise<void>;
  readonly passed: () => number;
  readonly failed: () => number;
}

/** Starts at zero; a check may return a remark that stands behind its line. */
export function startTally(print: (line: string) => void): Tally {
  let passed = 0;
  let failed = 0;
  return {
    check: async (text, attempt) => {
      try {
        const remark = await attempt();
        passed += 1;
        print(`ok ${passed + failed} - ${text}${remark === undefined ? '' : ` (${remark})`}`);
      } catch (error) {
        failed += 1;
        const reason = error instanceof Error ? error.message : String(error);
        print(`not ok ${passed + failed} - ${text}\n${reason.replaceAll(/^/gm, '    ')}`);
      }
    },
    passed: () => passed,
    failed: () => failed,
  };
}

/** Fails the check that is running, unless the values are the same. */
export function expectSame(what: string, got: unknown, wanted: unknown): void {
  if (JSON.stringify(got) === JSON.stringify(wanted)) return;
  throw new Error(`${what}: got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
}

/** Fails the check that is running, unless the text holds each of the parts. */
export function expectParts(what: string, text: string, parts: readonly string[]): void {
  const missing = parts.filter((part) => !text.includes(part));
  if (missing.length === 0) return;
  throw new Error(`${what}: ${JSON.stringify(missing)} not in\n${text}`);
}
