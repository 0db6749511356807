// SPDX-License-Identifier: Apache-2.0
import type { Environment, Project } from '../../engine/context/project.ts';
import { EngineError } from '../../engine/index.ts';
import { type Document, readDocuments } from '../../engine/manifest/index.ts';
import { inNamespace, refuseUnrecordable, scopesOf } from '../../engine/record/listable.ts';
import {
  type CustomKinds,
  isDefinition,
  KUBERNETES_MINOR,
  type ObjectSchema,
  openSchema,
  readCustomKinds,
} from '../../engine/schema/index.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Flag } from '../args.ts';
import { UsageError } from '../exit.ts';
import { readManifests } from '../files.ts';
import type { Io } from '../io.ts';
import { oneLine } from '../report/text.ts';

export const SCHEMA_FLAGS: Readonly<Record<string, Flag>> = {
  schema: {
    value: 'on|off',
    help: "check objects against Kubernetes' own types and versions (default on; off only without --env)",
  },
  crds: {
    value: 'PATH',
    multiple: true,
    help: 'file or folder of CustomResourceDefinitions, to check custom kinds against',
  },
};

interface Frame {
  readonly reader: YamlReader;
  /** What is checked: the definitions among it are used too. */
  readonly documents: readonly Document[];
  readonly environment: Environment | undefined;
  readonly project: Project | undefined;
}

/** What `check` judges, and the schema as a part of the bench. */
export interface Schooled {
  readonly documents: readonly Document[];
  /** Empty where it is switched off. */
  readonly bench: { readonly schema?: ObjectSchema };
  /** Puts other objects into the same namespace. */
  readonly placed: (documents: readonly Document[]) => readonly Document[];
}

/**
 * Puts the documents into the namespace that is asked for and opens the schema that they are checked against.
 * @throws {UsageError} off where an environment is chosen: what a job brings along never takes a check away
 * @throws {EngineError} INPUT_EMPTY where --crds holds no definition; INPUT_SHAPE where a record is asked for of an object without name
 *   or namespace; and as `readDocuments`
 */
export async function schemaFor(args: Args, io: Io, frame: Frame): Promise<Schooled> {
  const customKinds = await customKindsOf(args, io, frame);
  const stated = frame.project?.customKinds;
  const scopes = scopesOf(frame.documents, { customKinds, stated });
  const namespace = namespaceOf(args);
  const placed: Schooled['placed'] = (others) =>
    namespace === undefined
      ? others
      : inNamespace(others, namespace, scopesOf(others, { customKinds, stated }));
  const documents =
    namespace === undefined ? frame.documents : inNamespace(frame.documents, namespace, scopes);
  if (args.has('record')) refuseUnrecordable(documents, scopes);
  if (customKinds !== undefined) sayLeftOut(documents, customKinds, io);
  return { documents, placed, bench: benchOf(args, io, frame.environment, customKinds) };
}

/** Rules in CEL are said to be unchecked, once, where there are objects that they are about. */
function sayLeftOut(documents: readonly Document[], customKinds: CustomKinds, io: Io): void {
  const kinds = documents.flatMap(({ id }) =>
    id !== undefined && customKinds.hasRules(id.apiVersion, id.kind)
      ? [`${id.kind} of ${id.apiVersion}`]
      : [],
  );
  if (kinds.length === 0) return;
  const named = [...new Set(kinds)].map((kind) => JSON.stringify(kind)).join(', ');
  io.err(`note: rules in CEL (x-kubernetes-validations) are left to the API server: ${oneLine(named)}\n`);
}

/** The namespace that objects are applied to; undefined where none is named. @throws {UsageError} for what is no name of one */
export function namespaceOf(args: Args): string | undefined {
  const given = args.text('namespace');
  if (given === undefined) return undefined;
  if (/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(given)) return given;
  throw new UsageError(
    `--namespace ${JSON.stringify(given)} is no name of a namespace`,
    'lower-case letters, digits and dashes, at most 63',
  );
}

function benchOf(
  args: Args,
  io: Io,
  environment: Environment | undefined,
  customKinds: CustomKinds | undefined,
): Schooled['bench'] {
  const wanted = args.text('schema') ?? 'on';
  if (wanted !== 'on' && wanted !== 'off')
    throw new UsageError(`--schema ${JSON.stringify(wanted)} is not known`, '--schema on or --schema off');
  if (wanted === 'off') {
    refuseWeakened(args, environment);
    return {};
  }
  const minor = Number(environment?.kubernetes?.split('.')[1] ?? KUBERNETES_MINOR);
  if (minor !== KUBERNETES_MINOR)
    io.err(
      `note: fields are checked as Kubernetes 1.${KUBERNETES_MINOR} has them; the environment has 1.${minor}\n`,
    );
  const enforcement = environment?.rules ?? {};
  return {
    schema: openSchema({
      minor,
      enforcement,
      ...(customKinds === undefined ? {} : { customKinds, areAllDefined: args.has('crds') }),
    }),
  };
}

function refuseWeakened(args: Args, environment: Environment | undefined): void {
  if (args.has('crds')) throw new UsageError('--crds needs --schema on', 'leave one of the two out');
  if (environment === undefined) return;
  throw new UsageError(
    `--schema off takes a check away from environment ${JSON.stringify(environment.name)}`,
    'set rules of the environment in the Project instead: {schema.unknown-field: warn}',
  );
}

async function customKindsOf(
  args: Args,
  io: Io,
  { reader, documents }: Pick<Frame, 'reader' | 'documents'>,
): Promise<CustomKinds | undefined> {
  // Those that are applied together with their objects.
  if (!args.has('crds')) return documents.some(isDefinition) ? readCustomKinds(documents) : undefined;
  const definitions = readDocuments(await readManifests(args.list('crds'), io), reader).filter(isDefinition);
  if (definitions.length > 0) return readCustomKinds([...definitions, ...documents]);
  throw new EngineError(
    'INPUT_EMPTY',
    `there are no CustomResourceDefinitions in ${args
      .list('crds')
      .map((path) => JSON.stringify(path))
      .join(', ')}`,
    {
      hint: 'name files of apiVersion apiextensions.k8s.io/v1; kubectl get crds -o yaml prints them',
    },
  );
}

/** Namespaces of the objects that are not the environment's: in the cluster another environment would judge them, or none. */
export function strangersTo(
  environment: Environment | undefined,
  documents: readonly Document[],
): readonly string[] {
  const own = environment?.namespaces;
  if (environment === undefined || own === undefined) return [];
  const named = new Set(documents.flatMap(({ id }) => (id?.namespace === undefined ? [] : [id.namespace])));
  return [...named]
    .filter((namespace) => !own.includes(namespace))
    .sort()
    .map(
      (namespace) =>
        `namespace ${JSON.stringify(namespace)} is none of environment ${JSON.stringify(environment.name)}: at admission it judges nothing there`,
    );
}
