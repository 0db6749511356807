// SPDX-License-Identifier: Apache-2.0
import { isNativeError } from 'node:util/types';
import { AttestError } from '../attest/index.ts';
import { EngineError } from '../engine/index.ts';
import { WebhookError } from './error.ts';

/** One line of the log, flat. Holds no value of an object, no header, no secret. */
export interface LogEvent {
  readonly level: 'info' | 'warn' | 'error';
  readonly event:
    | 'listening'
    | 'admission'
    | 'check'
    | 'late'
    | 'refused'
    | 'failure'
    | 'certificate'
    | 'policies'
    | 'stopping'
    | 'stopped';
  readonly [field: string]: string | number | boolean;
}

export type Log = (event: LogEvent) => void;

/** A failure as it may be told to a caller: the code, a message without secrets, what to do. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** Our own errors speak for themselves; of anything else a caller learns only that it happened. */
export function failureOf(error: unknown): Failure {
  if (error instanceof EngineError || error instanceof WebhookError || error instanceof AttestError) {
    const { code, message, hint } = error;
    return { code, message, ...(hint === undefined ? {} : { hint }) };
  }
  return { code: 'INTERNAL', message: 'internal error' };
}

/**
 * The log line of an error. An error that is not ours is told by its name and the frames of its stack, never by its
 * message: JSON.parse and others quote what they choked on.
 */
export function failureEvent(
  error: unknown,
  about: Readonly<Record<string, string | number | boolean>>,
): LogEvent {
  const { code, message } = failureOf(error);
  const event = { level: 'error', event: 'failure', code, message, ...about } as const;
  return code === 'INTERNAL' ? { ...event, ...framesOf(error) } : event;
}

/** Name and stack of an error, without its message. */
export function framesOf(error: unknown): { readonly error: string; readonly stack: string } {
  if (!isNativeError(error)) return { error: typeof error, stack: '' };
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return { error: error.name, stack: frames.map((frame) => frame.trim()).join('; ') };
}
