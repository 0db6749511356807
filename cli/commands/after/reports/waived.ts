// SPDX-License-Identifier: Apache-2.0
import type { Recorded } from '../recorded.ts';

/** How many findings of these decisions a waiver covered, in how many of them, and how many were let through by a broken glass. */
export function waivedLine(records: readonly Recorded[]): string {
  const waived = records
    .map(({ decision }) => decision.findings.filter(isWaived).length)
    .filter((count) => count > 0);
  const findings = waived.reduce((sum, count) => sum + count, 0);
  // A record of very many findings leaves some out.
  const isCapped = records.some(({ decision }) => (decision.omittedFindings ?? []).length > 0);
  const broken = records.filter(({ decision }) => decision.basis === 'break-glass').length;
  return `Waivers covered ${isCapped ? 'at least ' : ''}${findings} finding${findings === 1 ? '' : 's'} in ${waived.length} of these decisions; ${broken} were let through by break-glass.`;
}

const isWaived = ({ result, waiver }: Recorded['decision']['findings'][number]): boolean =>
  result === 'skip' && waiver !== undefined;
