// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer';
import type { Project } from '../../engine/context/project.ts';
import { EngineError, type Finding, type Source } from '../../engine/index.ts';
import { type Document, readDocuments } from '../../engine/manifest/index.ts';
import { inNamespace, refuseUnrecordable, scopesOf } from '../../engine/record/listable.ts';
import { listSet, refuseDuplicates } from '../../engine/record/set.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../args.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { readInputs } from '../inputs/render.ts';
import { RENDER_FLAGS } from '../inputs/render_flags.ts';
import { namespaceOf } from '../inputs/schema.ts';
import { findInstallation } from '../installation.ts';
import type { Io } from '../io.ts';
import { environmentOf, findProject } from '../loading/project.ts';
import { withProgress } from '../report/progress.ts';
import { oneLine, placeOf } from '../report/text.ts';

export const render: Verb = {
  name: 'render',
  summary: 'Prints what a chart, a Kustomize folder or a GitOps source renders to, as check reads it.',
  positionals: '[PATH|-]',
  details: [
    'PATH is the folder of a Helm chart (it holds Chart.yaml) or a packed one (.tgz), a Kustomize folder, or plain files; the stream is on',
    'stdout, and findings of check have its line numbers. The output is that of helm template and kustomize build, without their programs:',
    'nothing is fetched, no program is run and no cluster is asked.',
  ].join('\n'),
  flags: {
    ...RENDER_FLAGS,
    digest: {
      help: 'print set.txt, whose SHA-256 is the set digest that records bind to, and not the stream',
    },
    env: { value: 'NAME', help: 'environment of the Project whose values and Kubernetes version are used' },
    project: {
      value: 'FILE',
      help: 'the Project (default countersign.yaml in this folder, if there is one)',
    },
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  if (args.positionals.length + (args.has('from') ? 1 : 0) !== 1)
    throw new UsageError('one path or --from FILE is to be given', 'countersign render PATH');
  const installation = findInstallation();
  const reader = openYamlReader(installation.toolchain);
  const project =
    args.has('env') || args.has('digest') ? findProject(args.text('project'), reader)?.project : undefined;
  const environment = args.has('env') ? environmentOf(args, project) : undefined;
  const inputs = await withProgress(io, 'rendering', () =>
    readInputs(args, io, {
      installation,
      reader,
      environment,
      ...(args.has('digest') ? { namesObjects: true as const } : {}),
    }),
  );
  for (const warning of inputs.warnings) io.err(`warning: ${oneLine(warning)}\n`);
  for (const finding of inputs.unstable) io.err(`warning: ${unstableLine(finding)}\n`);
  io.out(
    args.has('digest')
      ? listingOf(readDocuments(inputs.sources, reader), args, project?.customKinds)
      : joined(inputs.sources),
  );
  return 0;
}

/**
 * `set.txt` of these objects as they are applied.
 * @throws {EngineError} INPUT_SHAPE for one without its final name or namespace; INPUT_DUPLICATE_OBJECT for one that is there twice
 */
function listingOf(read: readonly Document[], args: Args, stated: Project['customKinds']): string {
  const scopes = scopesOf(read, { stated });
  const namespace = namespaceOf(args);
  const documents = namespace === undefined ? read : inNamespace(read, namespace, scopes);
  refuseUnrecordable(documents, scopes);
  const set = listSet(documents, false);
  refuseDuplicates(set);
  return set.listing;
}

const unstableLine = (finding: Finding): string =>
  `${placeOf(finding.location)}${oneLine(`${finding.object.kind} ${JSON.stringify(finding.object.name)}: ${finding.message}`)}`;

/** One stream: files of their own are parted by a line of `---`, and one that was rendered is as it is. */
export function joined(sources: readonly Source[]): string {
  return sources
    .map((source, index) => {
      const text = textOf(source);
      const isParted = index === 0 || /^---(?:\s|$)/.test(text);
      return `${isParted ? '' : '---\n'}${text}${index < sources.length - 1 && !text.endsWith('\n') ? '\n' : ''}`;
    })
    .join('');
}

function textOf({ name, bytes }: Source): string {
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  throw new EngineError('INPUT_ENCODING', `${JSON.stringify(name)} is not valid UTF-8`, {
    hint: 'save its files as UTF-8',
  });
}
