// SPDX-License-Identifier: Apache-2.0
import { join, relative, resolve } from 'node:path';
import type { Environment } from '../../engine/context/project.ts';
import { sinceThen } from '../../engine/decide/since.ts';
import { type Change, EngineError, type Judgement, type Location } from '../../engine/index.ts';
import { type Document, readDocuments } from '../../engine/manifest/index.ts';
import type { Claims } from '../../engine/policy/input.ts';
import { type Bench, openJudge } from '../../engine/review.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args } from '../args.ts';
import type { Installation } from '../installation.ts';
import type { Io } from '../io.ts';
import { argsThen, type Earlier, environmentThen, openEarlier } from './against.ts';
import { type Inputs, readInputs } from './render.ts';

/** What the earlier state is read and judged with: all of it the same as for the present one. */
export interface EarlierFrame {
  readonly setting: { readonly args: Args; readonly installation: Installation; readonly reader: YamlReader };
  readonly bench: Bench;
  /** Puts objects that name no namespace into the one that is asked for. */
  readonly placed: (documents: readonly Document[]) => readonly Document[];
  /** What is known beside the objects, such as what id tokens prove: the same for both. */
  readonly facts: Partial<Change>;
  readonly io: Io;
  /** Claims about its images: where they were not asked about, one that is as it was could not be told from one that is new. */
  readonly claimsFor: (documents: readonly Document[]) => Promise<{ readonly claims: Claims } | undefined>;
}

/**
 * The judgement with what was there before as inherited warnings. An earlier state that cannot be read or rendered is an error: what is
 * new could not be told. Where there was nothing, everything is new.
 */
export async function judgeSince(
  judgement: Judgement,
  environment: Environment | undefined,
  frame: EarlierFrame,
): Promise<Judgement> {
  const earlier = openEarlier(frame.setting.args.text('against') ?? '', frame.io.env);
  try {
    const inputs = await inputsThen(environment, earlier, frame);
    if (inputs === undefined) return judgement;
    const { sources } = inputs;
    const documents = frame.placed(readDocuments(sources, frame.setting.reader));
    const proved = await frame.claimsFor(documents);
    const { decision } = openJudge(frame.bench).review(
      {
        phase: 'check',
        operation: 'CREATE',
        documents,
        sources,
        ...frame.facts,
        ...(proved && { claims: proved.claims }),
      },
      { time: frame.io.now(), id: judgement.decision.id },
    );
    return { ...judgement, decision: sinceThen(judgement.decision, decision.findings) };
  } finally {
    earlier.close();
  }
}

async function inputsThen(
  environment: Environment | undefined,
  earlier: Earlier,
  { setting: { args, installation, reader }, io }: EarlierFrame,
): Promise<Inputs | undefined> {
  const then = argsThen(args, earlier);
  if (then === undefined) return undefined;
  const frame = {
    installation,
    reader,
    environment: environmentThen(environment, earlier),
    namesObjects: true as const,
  };
  try {
    return await readInputs(then, io, frame);
  } catch (error) {
    if (error instanceof EngineError && error.code === 'INPUT_EMPTY') return undefined;
    throw error instanceof EngineError ? asThen(error, args, earlier) : error;
  }
}

/** Says which state a failure is of, and names its files as they are called there instead of by a temporary folder. */
function asThen(error: EngineError, args: Args, { folder, base }: Earlier): EngineError {
  const stated = args.text('against') ?? '';
  const nameOf = (file: string): string => {
    const below = relative(folder, resolve(file));
    return below.startsWith('..') ? file : `${stated}:${relative('.', join(base, below))}`;
  };
  const placed = <T extends { readonly location?: Location }>(one: T): T =>
    one.location === undefined
      ? one
      : { ...one, location: { ...one.location, file: nameOf(one.location.file) } };
  const { code, message, hint, location, problems } = error;
  return new EngineError(code, message, {
    cause: error,
    problems: problems.map(placed),
    ...(hint === undefined ? {} : { hint }),
    ...(location === undefined ? {} : placed({ location })),
  });
}
