// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import {
  type Environment,
  environmentNamed,
  type Project,
  readProject,
} from '../../engine/context/project.ts';
import type { PolicyCache } from '../../engine/policy/index.ts';
import type { YamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args } from '../args.ts';
import { UsageError } from '../exit.ts';
import { readSource } from '../files.ts';
import type { Installation } from '../installation.ts';
import type { Io } from '../io.ts';

const PROJECT_FILE = 'countersign.yaml';

/**
 * Loads the Project named by a flag, or `countersign.yaml` of the working folder where there is one.
 * @throws {EngineError} INPUT_UNREADABLE | PROJECT_SYNTAX | PROJECT_SCHEMA
 */
export function findProject(
  file: string | undefined,
  reader: YamlReader,
): { project: Project; directory: string } | undefined {
  const path = file ?? (existsSync(PROJECT_FILE) ? PROJECT_FILE : undefined);
  if (path === undefined) return undefined;
  const directory = dirname(resolve(path));
  const project = readProject(readSource(path), reader);
  const policies = project.policies.map((policy) => ({
    ...policy,
    path: policy.path.startsWith('oci://') ? policy.path : join(directory, policy.path),
    ...(policy.data === undefined ? {} : { data: policy.data.map((file) => join(directory, file)) }),
  }));
  const environments = project.environments.map((environment) => inFolder(environment, directory));
  const registries = project.registries?.map((registry) =>
    registry.certificates === undefined
      ? registry
      : { ...registry, certificates: join(directory, registry.certificates) },
  );
  const issuers = project.issuers?.map((issuer) =>
    'file' in issuer.jwks ? { ...issuer, jwks: { file: join(directory, issuer.jwks.file) } } : issuer,
  );
  const own = {
    ...(registries === undefined ? {} : { registries }),
    ...(issuers === undefined ? {} : { issuers }),
  };
  return { project: { ...project, policies, environments, ...own }, directory };
}

/** An environment with its files found from the working folder. */
function inFolder(environment: Environment, directory: string): Environment {
  const { values, attestations } = environment;
  return {
    ...environment,
    ...(values === undefined ? {} : { values: values.map((file) => relative('.', join(directory, file))) }),
    ...(attestations === undefined ? {} : { attestations: rootsInFolder(attestations, directory) }),
  };
}

function rootsInFolder(
  attestations: NonNullable<Environment['attestations']>,
  directory: string,
): NonNullable<Environment['attestations']> {
  const { trustedRoot, tuf } = attestations;
  return {
    ...attestations,
    ...(trustedRoot === undefined ? {} : { trustedRoot: join(directory, trustedRoot) }),
    ...(tuf?.root === undefined ? {} : { tuf: { ...tuf, root: join(directory, tuf.root) } }),
  };
}

/** The environment that `--env` names. @throws {UsageError} where it is needed and not given */
export function environmentOf(args: Args, project: Project | undefined): Environment | undefined {
  const name = args.text('env');
  if (project === undefined) {
    if (name === undefined) return undefined;
    throw new UsageError(
      '--env needs a Project and there is none',
      'run countersign init, or name one with --project FILE',
    );
  }
  if (name !== undefined) return environmentNamed(project, name);
  if (project.environments.length === 0) return undefined;
  const known = project.environments.map((environment) => environment.name).join(', ');
  throw new UsageError(
    'the Project declares environments and none is chosen',
    `--env NAME, one of: ${known}`,
  );
}

const DEFAULT_STATE = '.countersign';

/** The folder of key, ledger and certificates: as stated by a flag, else the Project's ledger, relative to its own folder. */
export function stateOf(
  stated: string | undefined,
  found: { readonly project: Project; readonly directory: string } | undefined,
): string {
  if (stated !== undefined) return stated;
  const ledger = found?.project.ledger;
  return found === undefined || ledger === undefined
    ? DEFAULT_STATE
    : resolve(found.directory, ledger.directory);
}

/**
 * That folder, for a verb that knows ledgers in files only; also where it is stated: the key of the database's ledger is in it.
 * @throws {UsageError} where the ledger of the Project is a database
 */
export function fileLedgerOf(
  stated: string | undefined,
  found: { readonly project: Project; readonly directory: string } | undefined,
): string {
  if (found?.project.ledger?.url === undefined) return stateOf(stated, found);
  throw new UsageError(
    'the ledger of this Project is a database, which only serve and records use',
    'let serve sign, or take a Project without ledger.url',
  );
}

/**
 * The cache of the user: `$COUNTERSIGN_CACHE`, `$XDG_CACHE_HOME/countersign` or `~/.cache/countersign`, the first that is an absolute
 * path. None inside the working folder: what a repository brings along must not pass for what was compiled from its policies.
 * @see https://specifications.freedesktop.org/basedir-spec/latest/  relative paths are invalid and to be ignored
 */
export function userCache(io: Io, installation: Installation): PolicyCache | undefined {
  const base = [
    io.env['COUNTERSIGN_CACHE'],
    below(io.env['XDG_CACHE_HOME'], 'countersign'),
    below(io.homeDirectory, '.cache/countersign'),
  ].find((path) => path !== undefined && isAbsolute(path));
  if (base === undefined || !relative(resolve('.'), base).startsWith('..')) return undefined;
  return { directory: join(base, 'policies'), userId: io.userId, toolVersion: installation.toolVersion };
}

const below = (folder: string | undefined, path: string): string | undefined =>
  folder === undefined || folder === '' ? undefined : join(folder, path);
