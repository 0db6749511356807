// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { TOKEN_SKEW_MS, type TokenVerdict, type VerifiedToken } from './token.ts';

/** Remembers which tokens were used. A service with several replicas needs one that they share. */
export interface TokenUses {
  /**
   * Uses a key that no one used before; both happen at once.
   * @param untilMs when the key may be forgotten, in milliseconds since 1970
   * @returns `full` where it can remember no more: then nothing was used
   */
  use(key: string, untilMs: number, nowMs: number): Promise<'first' | 'again' | 'full'>;
}

/** Remembers at most so many in memory, each until its token has expired. Full, it refuses rather than forget. */
export function memoryUses(most = 100_000): TokenUses {
  const used = new Map<string, number>();
  // Before this none of them has expired, and looking would be in vain.
  let nextMs = Number.NEGATIVE_INFINITY;
  const forget = (nowMs: number): void => {
    if (nowMs < nextMs) return;
    for (const [key, untilMs] of used) if (untilMs < nowMs) used.delete(key);
    nextMs = [...used.values()].reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  };
  return {
    use: (key, untilMs, nowMs) => {
      if (used.has(key)) return Promise.resolve('again');
      if (used.size >= most) forget(nowMs);
      if (used.size >= most) return Promise.resolve('full');
      used.set(key, untilMs);
      nextMs = Math.min(nextMs, untilMs);
      return Promise.resolve('first');
    },
  };
}

/**
 * Uses a verified token, which holds once and no more. One without an id cannot be told from its copy, and is refused.
 * @see https://www.rfc-editor.org/rfc/rfc7519#section-4.1.7
 */
export async function useOnce(token: VerifiedToken, uses: TokenUses, now: Date): Promise<TokenVerdict> {
  const { id, issuer, expiresAt } = token;
  if (id === undefined) return { ok: false, code: 'CLAIMS', reason: 'the token has no id ("jti")' };
  const untilMs = Date.parse(expiresAt) + TOKEN_SKEW_MS;
  // It was verified some time ago: from here on its use may be forgotten.
  if (now.getTime() >= untilMs) return { ok: false, code: 'TIME', reason: 'the token has expired' };
  // Issuer and id as one, and of one length whatever they are.
  const key = hash('sha256', JSON.stringify([issuer, id]));
  const answer = await uses.use(key, untilMs, now.getTime());
  if (answer === 'first') return { ok: true, token };
  return {
    ok: false,
    code: 'REPLAY',
    reason:
      answer === 'again' ? 'the token was used before' : 'too many tokens are in use to remember one more',
  };
}
