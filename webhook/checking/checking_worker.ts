// SPDX-License-Identifier: Apache-2.0
// The thread of `openChecking`: it opens the bench of an environment when it is first asked for, and checks one set after the other.
import { parentPort, workerData } from 'node:worker_threads';
import { AttestError, type AttestErrorCode } from '../../attest/error.ts';
import type { Bench } from '../../engine/bench.ts';
import type { EngineIdentity } from '../../engine/conclude.ts';
import { openBench } from '../../engine/parts.ts';
import { openRegoBuiltins } from '../../engine/toolchain/builtins.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import { type Told, tell } from '../admission/told.ts';
import { WebhookError } from '../error.ts';
import { type CheckFacts, type CheckJudged, type CheckParts, checkSet } from './checking.ts';

/** What the thread is started with. */
export interface CheckingData {
  /** The folder of the built programs. */
  readonly toolchain: string;
  readonly engine: EngineIdentity;
}

/** One set to check, and what by where that is another than before. */
export interface Asked {
  readonly parts?: CheckParts;
  readonly body: Uint8Array;
  readonly facts: CheckFacts;
}

/** What became of it. */
export type Answered =
  | { readonly judged: CheckJudged }
  | { readonly told: Told }
  | { readonly attest: { readonly code: AttestErrorCode; readonly message: string; readonly hint?: string } };

const { toolchain, engine }: CheckingData = workerData;
const builtins = openRegoBuiltins(toolchain);
const reader = openYamlReader(toolchain);
let parts: CheckParts | undefined;
let benches = new Map<string, Bench>();

parentPort?.on('message', (asked: Asked) => {
  void answer(asked).then((answered) => parentPort?.postMessage(answered));
});

async function answer(asked: Asked): Promise<Answered> {
  try {
    if (asked.parts !== undefined) {
      parts = asked.parts;
      benches = new Map();
    }
    return { judged: await check(asked) };
  } catch (error) {
    if (!(error instanceof AttestError)) return { told: tell(error) };
    const { code, message, hint } = error;
    return { attest: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}

function check({ body, facts }: Asked): Promise<CheckJudged> {
  const environment = parts?.environments.get(facts.environment);
  if (parts === undefined || environment === undefined)
    throw new WebhookError('REQUEST_ENVIRONMENT', 'the environment is not there any more');
  const bench = benches.get(facts.environment) ?? openBench(environment.bench, builtins);
  benches.set(facts.environment, bench);
  return checkSet(body, { bench, environment, customKinds: parts.customKinds, engine, reader }, facts);
}
