// SPDX-License-Identifier: Apache-2.0
import { EngineError, type EngineErrorCode } from '../../engine/index.ts';
import { WebhookError, type WebhookErrorCode } from '../error.ts';
import { framesOf } from '../log.ts';

interface Own<Code> {
  readonly code: Code;
  readonly message: string;
  readonly hint?: string;
}

/** An error as one thread tells it to another: our own with their codes, of any other the name and the frames of its stack. */
export type Told =
  | ({ readonly of: 'engine' } & Own<EngineErrorCode>)
  | ({ readonly of: 'webhook' } & Own<WebhookErrorCode>)
  | { readonly of: 'other'; readonly name: string; readonly stack: string };

export function tell(error: unknown): Told {
  if (error instanceof EngineError) return { of: 'engine', ...own(error) };
  if (error instanceof WebhookError) return { of: 'webhook', ...own(error) };
  const { error: name, stack } = framesOf(error);
  return { of: 'other', name, stack };
}

/** The error that was told of. */
export function errorOf(told: Told): Error {
  if (told.of === 'other') return new ForeignError(told.name, told.stack);
  const detail = told.hint === undefined ? {} : { hint: told.hint };
  return told.of === 'engine'
    ? new EngineError(told.code, told.message, detail)
    : new WebhookError(told.code, told.message, detail);
}

/** An error of another thread. Its message stays there: it may quote what was judged. */
class ForeignError extends Error {
  constructor(name: string, frames: string) {
    super('in the thread that judges');
    this.name = name;
    this.stack = frames
      .split('; ')
      .map((frame) => `    ${frame}`)
      .join('\n');
  }
}

function own<Code>({ code, message, hint }: Own<Code>): Own<Code> {
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}
