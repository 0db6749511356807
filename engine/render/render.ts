// SPDX-License-Identifier: Apache-2.0
import { basename, posix, resolve } from 'node:path';
import { type ArchiveFile, readArchive } from '../archive/index.ts';
import type { Finding } from '../decide/finding.ts';
import { EngineError } from '../error.ts';
import type { Source } from '../manifest/index.ts';
import type { YamlReader } from '../toolchain/yaml.ts';
import { type Collecting, collect, emptyCollection, take } from './collect.ts';
import { kustomizeFailure, type NameOf, renderFailure } from './failure.ts';
import { openReading, type Reading } from './folder.ts';
import {
  decodeAnswer,
  encodeRequest,
  type HelmJob,
  type KustomizeAfter,
  type KustomizeEdit,
  type Part,
  type RenderAnswer,
  type RenderRequest,
} from './program.ts';
import { KUSTOMIZATIONS } from './recognise.ts';
import { realPath } from './root.ts';
import { unstableFindings } from './stable.ts';
import { openRenderThread, type RenderLimits, type RenderThread } from './thread.ts';

/** What every rendering is done with. */
export interface RenderFrame {
  /** Where the built programs are. */
  readonly toolchain: string;
  readonly yaml: YamlReader;
  /** What templates take for the time. */
  readonly now: Date;
  readonly limits?: Partial<RenderLimits>;
}

/** One rendered stream, in the manner of the files that are read as they are. */
export interface Rendered {
  /** Its name is the path that was rendered; lines have the files that they came from. */
  readonly source: Source;
  /** What the tool said, and what templates asked the cluster for. */
  readonly warnings: readonly string[];
  /** Objects that are others each time. */
  readonly unstable: readonly Finding[];
}

/** A chart, a folder or an archive, with what it is rendered with. */
export interface ChartSource {
  /** As the user gave it. */
  readonly path: string;
  /** The folder that may be read. */
  readonly root: string;
  readonly job: Omit<HelmJob, 'archive'>;
  /** Reads a file that `--set-file` names. */
  readonly readGiven?: (path: string) => Uint8Array;
}

/** A Kustomize folder, with what a controller changes of it. */
export interface KustomizeSource {
  readonly path: string;
  readonly root: string;
  readonly edit?: KustomizeEdit;
  readonly after?: KustomizeAfter;
}

const MIB = 1024 * 1024;
const LIMITS: RenderLimits = { deadlineMs: 60_000, maxMemoryBytes: 1024 * MIB };

/** Renders one source after the other; between them the program's thread stays, since to start it takes most of the time. */
export interface Renderer {
  /**
   * Renders a chart as `helm template` would, with no cluster, network or file but those of the chart.
   * @throws {EngineError} RENDER_FAILED | RENDER_REMOTE | RENDER_DEADLINE | RENDER_LIMIT | INPUT_UNREADABLE | INPUT_TOO_LARGE |
   *   TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST
   */
  chart(source: ChartSource): Promise<Rendered>;
  /**
   * Builds a Kustomize folder as `kustomize build` would, with no network, no plugins and no file outside of the root.
   * @throws {EngineError} as {@link Renderer.chart}
   */
  kustomize(source: KustomizeSource): Promise<Rendered>;
  close(): Promise<void>;
}

interface Bench {
  readonly frame: RenderFrame;
  readonly thread: RenderThread;
}

/** Prepares a renderer; nothing is loaded before the first source. */
export function openRenderer(frame: RenderFrame): Renderer {
  const thread = openRenderThread(frame.toolchain, { ...LIMITS, ...frame.limits });
  const bench = { frame, thread };
  return {
    chart: (source) => {
      thread.begin();
      return renderChart(source, bench);
    },
    kustomize: (source) => {
      thread.begin();
      return renderKustomize(source, bench);
    },
    close: () => thread.close(),
  };
}

async function renderChart(chart: ChartSource, { frame, thread }: Bench): Promise<Rendered> {
  const reading = openReading(chart.root);
  const isArchive = reading.kindOf(chart.path) === 'file';
  const parts = isArchive
    ? [{ path: basename(chart.path), bytes: reading.file(chart.path) }]
    : reading.folder(chart.path);
  for (const { path, bytes } of parts) if (isArchive || PACKED.test(path)) refuseArchive(path, bytes);
  const helm: HelmJob = { ...chart.job, ...(isArchive ? { archive: true } : {}) };
  const nameOf = nameInChart(chart.path);
  const given: Part[] = [];
  const asked = (): RenderRequest => ({ parts: [...parts, ...given], helm });
  let answer = await ask(thread, asked(), frame.now);
  if (answer.wanted.length > 0 && chart.readGiven !== undefined) {
    for (const path of answer.wanted) given.push({ path, bytes: chart.readGiven(path), given: true });
    answer = await ask(thread, asked(), frame.now);
  }
  const failure = (message: string): EngineError => renderFailure(chart.path, message, nameOf);
  return twice(answer, { thread, request: asked(), path: chart.path, nameOf, failure }, frame);
}

const PACKED = /(?:^|\/)charts\/[^/]+\.tgz$/;
const NESTED_MAX = 4;

/** What no chart has, and an attack may: links, paths that leave the archive, too much of anything. Charts in charts too. */
function refuseArchive(name: string, bytes: Uint8Array, depth = 0): void {
  if (depth > NESTED_MAX)
    throw new EngineError(
      'INPUT_TOO_LARGE',
      `chart archive ${JSON.stringify(name)} holds charts in charts in charts`,
    );
  for (const file of chartArchive(bytes, name).filter(({ path }) => PACKED.test(path)))
    refuseArchive(`${name}/${file.path}`, file.bytes, depth + 1);
}

/** To its reader a chart is input, not a bundle. */
function chartArchive(bytes: Uint8Array, name: string): readonly ArchiveFile[] {
  try {
    return readArchive(bytes, name);
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    const code = cause.code === 'BUNDLE_TOO_LARGE' ? 'INPUT_TOO_LARGE' : 'INPUT_UNREADABLE';
    throw new EngineError(code, `chart ${cause.message}`, {
      cause,
      hint: 'pack it again with helm package: a chart holds plain files and folders, 10,000 and 64 MiB at most',
    });
  }
}

/** Helm calls a template by its chart's name; people look for it below the path that they gave. */
const nameInChart =
  (path: string): NameOf =>
  (named) =>
    posix.join(path, ...named.split('/').slice(1));

const ROUNDS_MAX = 200;

async function renderKustomize(folder: KustomizeSource, { frame, thread }: Bench): Promise<Rendered> {
  const by: Collecting = { reading: openReading(folder.root), yaml: frame.yaml };
  const path = realPath(folder.path);
  const into = emptyCollection();
  if (folder.edit?.generate === true) takeAll(path, into.files, by.reading);
  collect(path, into, by);
  for (const component of folder.edit?.components ?? []) collect(resolve(path, component), into, by);
  const asked = (): RenderRequest => ({
    parts: [...into.files.values()],
    kustomize: {
      path,
      absent: [...into.absent],
      ...(folder.edit === undefined ? {} : { edit: folder.edit }),
      ...(folder.after === undefined ? {} : { after: folder.after }),
    },
  });
  const nameOf: NameOf = (named) => posix.join(folder.path, named);
  let answer = await ask(thread, asked(), frame.now);
  for (let round = 0; answer.wanted.length > 0; round++) {
    if (round > ROUNDS_MAX) throw new EngineError('RENDER_FAILED', 'Kustomize asks for ever more files');
    for (const wanted of answer.wanted) supply(wanted, into, by);
    answer = await ask(thread, asked(), frame.now);
  }
  const name = KUSTOMIZATIONS.find((one) => into.files.has(posix.join(path, one)));
  const file = name === undefined ? undefined : into.files.get(posix.join(path, name));
  const own = file && { name: nameOf(name ?? ''), text: new TextDecoder().decode(file.bytes) };
  const failure = (message: string): EngineError =>
    kustomizeFailure({ path: folder.path, file: own }, message, nameOf);
  return twice(answer, { thread, request: asked(), path: folder.path, nameOf, failure }, frame);
}

/** Looks for what Kustomize asked for; a folder that it asks for again is handed over whole. */
function supply(wanted: string, into: ReturnType<typeof emptyCollection>, by: Collecting): void {
  const kind = by.reading.kindOf(wanted);
  const isKnown = into.folders.has(wanted);
  if (kind === 'file') take(wanted, into, by.reading);
  else if (kind === undefined || (isKnown && takeAll(wanted, into.files, by.reading) === 0))
    into.absent.add(wanted);
  else if (!isKnown) collect(wanted, into, by);
}

function takeAll(folder: string, files: Map<string, Part>, reading: Reading): number {
  if (reading.kindOf(folder) !== 'folder') return 0;
  const before = files.size;
  for (const { path, bytes } of reading.folder(folder)) {
    const name = posix.join(folder, path);
    if (!files.has(name)) files.set(name, { path: name, bytes });
  }
  return files.size - before;
}

const NS_PER_MS = 1_000_000n;

const ask = async (thread: RenderThread, request: RenderRequest, time: Date): Promise<RenderAnswer> =>
  decodeAnswer(
    await thread.ask({
      request: encodeRequest(request),
      wallClock: BigInt(time.getTime()) * NS_PER_MS,
    }),
  );

/** A year, a month, a day, an hour, a minute, a second and a bit: each part of a date is another in the second rendering. */
const LATER_MS = (((366 + 31 + 1) * 24 + 1) * 60 + 1) * 60_000 + 1_007;

/** The rendering that an answer is, held against a second one with another time and other random numbers. */
async function twice(
  answer: RenderAnswer,
  asked: {
    readonly thread: RenderThread;
    readonly request: RenderRequest;
    readonly path: string;
    readonly nameOf: NameOf;
    readonly failure: (message: string) => EngineError;
  },
  frame: RenderFrame,
): Promise<Rendered> {
  const { path, nameOf, failure } = asked;
  if (answer.error !== undefined) throw failure(answer.error);
  const again = await ask(asked.thread, asked.request, new Date(frame.now.getTime() + LATER_MS));
  if (again.error !== undefined) throw failure(again.error);
  const source = sourceOf(path, answer, nameOf);
  return {
    source,
    warnings: [
      ...answer.warnings,
      ...answer.lookups.map(
        (what) =>
          `lookup of ${JSON.stringify(what)}: no cluster is asked, so the template saw nothing there; what a cluster renders may differ`,
      ),
    ],
    unstable: unstableFindings(source, sourceOf(path, again, nameOf), frame.yaml),
  };
}

const sourceOf = (name: string, { stream, origins }: RenderAnswer, nameOf: NameOf): Source => ({
  name,
  bytes: stream,
  origins: origins.map(({ line, path }) => ({ line, file: nameOf(path) })),
});
