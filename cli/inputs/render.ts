// SPDX-License-Identifier: Apache-2.0
// What is to be checked or printed, as sources: files as they are, and what charts, Kustomize folders and GitOps sources render to.
import { join } from 'node:path';
import type { Environment } from '../../engine/context/project.ts';
import { EngineError, type Finding, type Judgement, type Source } from '../../engine/index.ts';
import { readDocuments } from '../../engine/manifest/index.ts';
import type { Rendered, Renderer } from '../../engine/render/index.ts';
import { recognise } from '../../engine/render/recognise.ts';
import { rootOf } from '../../engine/render/root.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args } from '../args.ts';
import { UsageError } from '../exit.ts';
import { readManifests, readSource } from '../files.ts';
import type { Installation } from '../installation.ts';
import type { Io } from '../io.ts';
import { chartJob, clusterOf, readLocal, refuseIdle } from './render_flags.ts';

/** Sources, what was said when they were rendered, and findings about objects that are others each time. */
export interface Inputs {
  readonly sources: readonly Source[];
  readonly warnings: readonly string[];
  readonly unstable: readonly Finding[];
}

/** What reading needs besides the arguments. */
export interface InputFrame {
  /** Objects that name no namespace get the one that is given. */
  readonly namesObjects?: true;
  readonly installation: Installation;
  readonly reader: YamlReader;
  readonly environment: Environment | undefined;
  /** Shared by who reads several command lines; else there is one for this call. */
  readonly renderer?: Renderer;
}

/**
 * Reads the paths of a command line and its `--from`, in their order, and renders what is to be rendered.
 * @throws {UsageError} for flags that nothing reads
 * @throws {EngineError} RENDER_* | INPUT_*
 */
export async function readInputs(args: Args, io: Io, frame: InputFrame): Promise<Inputs> {
  const paths = [...new Set(args.positionals)].map((path) => ({ path, kind: recognise(path) }));
  const from = args.text('from');
  refuseIdle(args, {
    hasChart: paths.some(({ kind }) => kind === 'chart' || kind === 'archive'),
    hasSource: from !== undefined,
    namesObjects: frame.namesObjects === true,
  });
  // Plain files, which most runs check, load nothing of what renders.
  if (from === undefined && paths.every(({ kind }) => kind === 'plain'))
    return plain(await readManifests(args.positionals, io));
  const { openRenderer } = await import('../../engine/render/index.ts');
  const { toolchain } = frame.installation;
  const renderer = frame.renderer ?? openRenderer({ toolchain, yaml: frame.reader, now: io.now() });
  try {
    const read: Inputs[] = [];
    for (const { path, kind } of paths) {
      if (kind === 'plain') read.push(plain(await readManifests([path], io)));
      else read.push(rendered(await renderPath(path, kind, { args, renderer, frame })));
    }
    if (from !== undefined) read.push(...(await renderFrom(from, { args, renderer, frame })));
    return together(read);
  } finally {
    if (frame.renderer === undefined) await renderer.close();
  }
}

interface Bench {
  readonly args: Args;
  readonly renderer: Renderer;
  readonly frame: InputFrame;
}

const plain = (sources: readonly Source[]): Inputs => ({ sources, warnings: [], unstable: [] });

const rendered = ({ source, warnings, unstable }: Rendered): Inputs => ({
  sources: [source],
  warnings: warnings.map((warning) => `${source.name}: ${warning}`),
  unstable,
});

function renderPath(
  path: string,
  kind: 'chart' | 'archive' | 'kustomize',
  { args, renderer, frame }: Bench,
): Promise<Rendered> {
  const root = rootOf(path, args.text('root'));
  if (kind === 'kustomize') return renderer.kustomize({ path, root });
  const job = chartJob(args, frame.environment);
  return renderer.chart({ path, root, job, readGiven: readLocal });
}

/** The sources of GitOps. */
async function renderFrom(file: string, { args, renderer, frame }: Bench): Promise<Inputs[]> {
  const { planGitOps } = await import('../../engine/render/index.ts');
  const root = rootOf(file, args.text('root'));
  const chart = args.text('chart');
  const given = args.list('values-from').map(readSource);
  const plans = planGitOps(readSource(file), {
    root,
    ...(chart === undefined ? {} : { chart }),
    objects: given.length === 0 ? [] : readDocuments(given, frame.reader),
    cluster: clusterOf(args, frame.environment),
    yaml: frame.reader,
  });
  const read: Inputs[] = [];
  for (const plan of plans) {
    if (plan.kind === 'chart') read.push(rendered(await renderer.chart(plan.source)));
    else if (plan.kind === 'kustomize') read.push(rendered(await renderer.kustomize(plan.source)));
    else read.push(plain(await filesIn(plan.path, root, plan.isRecursive)));
  }
  return read;
}

const MANIFEST = /\.(?:ya?ml|json)$/i;

async function filesIn(folder: string, root: string, isRecursive: boolean): Promise<readonly Source[]> {
  const { openReading } = await import('../../engine/render/index.ts');
  const sources = openReading(root)
    .folder(folder)
    .filter(({ path }) => MANIFEST.test(path) && (isRecursive || !path.includes('/')))
    .map(({ path, bytes }) => ({ name: join(folder, path), bytes }));
  if (sources.length > 0) return sources;
  throw new EngineError('INPUT_EMPTY', `no .yaml, .yml or .json file in ${JSON.stringify(folder)}`);
}

/** A record approves what was judged: refuses it where something else will be applied. @throws {EngineError} RENDER_UNSTABLE */
export async function refuseUnstable({ unstable }: Inputs): Promise<void> {
  if (unstable.length > 0) (await import('../../engine/render/index.ts')).refuseUnstable(unstable);
}

/** The judgement with the findings that reading made. */
export async function withInputs(judgement: Judgement, { unstable }: Inputs): Promise<Judgement> {
  if (unstable.length === 0) return judgement;
  const { withUnstable } = await import('../../engine/render/index.ts');
  return withUnstable(judgement, unstable);
}

/** Findings are placed by the names of sources, so two renderings of one path must not share theirs. */
function together(read: readonly Inputs[]): Inputs {
  const sources = read.flatMap((one) => one.sources);
  const names = new Set<string>();
  for (const { name } of sources) {
    if (names.has(name))
      throw new UsageError(`${JSON.stringify(name)} is rendered twice`, 'check its sources one by one');
    names.add(name);
  }
  return {
    sources,
    warnings: read.flatMap((one) => one.warnings),
    unstable: read.flatMap((one) => one.unstable),
  };
}
