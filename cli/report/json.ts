// SPDX-License-Identifier: Apache-2.0
import type { Decision } from '../../engine/index.ts';

/** The Decision as it is (DESIGN §5), two spaces a level. */
export function jsonReport(decision: Decision): string {
  return `${JSON.stringify(decision, null, 2)}\n`;
}
