// SPDX-License-Identifier: Apache-2.0
// A thread of `openThreads`: it opens a judge from its parts and judges what it is sent, in order.
import { parentPort, workerData } from 'node:worker_threads';
import type { EngineIdentity } from '../../engine/conclude.ts';
import type { Judge } from '../../engine/index.ts';
import { type JudgeParts, openParts } from '../../engine/parts.ts';
import { openRegoBuiltins } from '../../engine/toolchain/builtins.ts';
import { WebhookError } from '../error.ts';
import { type Judged, type JudgingFacts, judgeBody } from './judging.ts';
import { type Told, tell } from './told.ts';

/** What a thread is started with. */
export interface ThreadData {
  /** The folder of the built programs. */
  readonly toolchain: string;
  readonly engine: EngineIdentity;
}

/** One admission to judge; `time` is Unix time in milliseconds, `decision` the id that its Decision gets. */
export interface Asked {
  readonly ticket: number;
  readonly body: Uint8Array;
  readonly time: number;
  readonly decision: string;
  readonly claims?: NonNullable<JudgingFacts['claims']>;
  readonly trustDigest?: string;
}

/** To the thread: what to judge by from now on, or what to judge. */
export type Message = { readonly parts: JudgeParts } | readonly Asked[];

/** What became of one admission. */
export type Answered = { readonly ticket: number } & ({ readonly judged: Judged } | { readonly told: Told });

/** From the thread: whether it judges by the parts it was given, or answers. */
export type Reply = { readonly opened: true } | { readonly refused: Told } | readonly Answered[];

/** How long answers may wait for those that are judged after them, and the largest body that they wait for, in bytes. */
const HOLD_MS = 2;
const HOLD_BYTES = 16 * 1024;

const { toolchain, engine }: ThreadData = workerData;
const builtins = openRegoBuiltins(toolchain);
let judge: Judge | undefined;

parentPort?.on('message', (message: Message) => {
  if ('parts' in message) use(message.parts);
  else answerAll(message);
});

function use(parts: JudgeParts): void {
  // Where the new judge does not open the old one stays: whoever asked is told, and decides.
  try {
    judge = openParts(parts, builtins);
    reply({ opened: true });
  } catch (error) {
    reply({ refused: tell(error) });
  }
}

function answerAll(batch: readonly Asked[]): void {
  let answers: Answered[] = [];
  let since = performance.now();
  for (const asked of batch) {
    if (asked.body.length > HOLD_BYTES || performance.now() - since > HOLD_MS) {
      if (answers.length > 0) reply(answers);
      answers = [];
      since = performance.now();
    }
    answers.push({ ticket: asked.ticket, ...answer(asked) });
  }
  if (answers.length > 0) reply(answers);
}

function answer(asked: Asked): { readonly judged: Judged } | { readonly told: Told } {
  try {
    if (judge === undefined) throw new WebhookError('NOT_READY', 'not ready: no policies');
    const body = Buffer.from(asked.body.buffer, asked.body.byteOffset, asked.body.length);
    const { ticket: _ticket, body: _body, time, decision, ...proved } = asked;
    const facts = { time: new Date(time), id: decision, ...proved };
    return { judged: judgeBody(body, { judge, engine }, facts) };
  } catch (error) {
    return { told: tell(error) };
  }
}

const reply = (message: Reply): void => parentPort?.postMessage(message);
