// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import type { Enforcement } from '../decide/findings.ts';
import { EngineError, type Problem } from '../error.ts';
import { type Document, type JsonValue, locate, readDocuments, type Source } from '../manifest/index.ts';
import { malformedName } from '../policy/namespaces/index.ts';
import type { RegoVersion } from '../policy/sources.ts';
import { canonicalBytes } from '../record/canonical.ts';
import type { RegoLimits } from '../rego/limits.ts';
import type { YamlReader } from '../toolchain/yaml.ts';
import type { Forge } from './people.ts';
import {
  type ApprovalRule,
  type BreakGlassRule,
  type LoginRule,
  type Person,
  peopleFaults,
  type WaiverRule,
} from './people.ts';
import schema from './project.schema.json' with { type: 'json' };
import { compileSchema } from './schema.ts';
import type { Attestations, CustomKind, LedgerSettings, ProjectIssuer, Registry } from './sections.ts';

export type {
  Attestations,
  CustomKind,
  LedgerSettings,
  ProjectIssuer,
  PublishTo,
  Registry,
} from './sections.ts';

import { declaredTwice } from './twice.ts';

/** Where something is deployed to, and what it asks for. */
export interface Environment {
  readonly name: string;
  readonly tier: 'production' | 'staging' | 'testing' | 'development' | 'other';
  readonly namespaces?: readonly string[];
  /** The version of Kubernetes there, `1.34`: which versions of kinds it serves. */
  readonly kubernetes?: string;
  /** Whether `check --against` may turn what was there before into warnings; who runs it chooses what was before. */
  readonly against?: 'allow' | 'deny';
  /** Objects of no namespace belong here: they reach into every namespace, so one environment at most judges them. */
  readonly clusterScoped?: boolean;
  readonly packs?: readonly {
    readonly name: string;
    readonly parameters?: Readonly<Record<string, unknown>>;
  }[];
  readonly rules?: Readonly<Record<string, Enforcement>>;
  /** Files of values for the charts that are checked for it, before those of `--values`. */
  readonly values?: readonly string[];
  /** API versions that charts see besides those of Kubernetes: `monitoring.coreos.com/v1`. */
  readonly apiVersions?: readonly string[];
  /** How long after an allow its set may still be applied first: `30m`, `8h`, `7d`, which is the most. */
  readonly startWithin?: string;
  /** For how many years what was evaluated for it is kept; for ever where it is not stated. */
  readonly keepYears?: number;
  /** Nothing that was kept for it is deleted, whatever its age. */
  readonly legalHold?: boolean;
  /** What people must have signed about exactly these objects. */
  readonly approvals?: readonly ApprovalRule[];
  /** Whether who asks must be proved, or may be named by a flag; `verified` where it is not stated. */
  readonly requester?: 'verified' | 'asserted';
  /** Whom a server checks sets of objects for: who has an id token of one of `issuers`, or anybody; `verified` where it is not stated. */
  readonly callers?: 'verified' | 'any';
  readonly breakGlass?: BreakGlassRule;
  /** What is looked for that is attached to images; absent: nothing, and rules see no claims. */
  readonly attestations?: Attestations;
}

/** The file `countersign.yaml`. Paths in it are relative to its own folder. */
export interface Project {
  readonly environments: readonly Environment[];
  readonly unmapped: 'deny' | 'warn' | 'allow';
  /** Where objects live whose definitions are not at hand. */
  readonly customKinds?: readonly CustomKind[];
  readonly policies: readonly {
    readonly path: string;
    readonly namespaces?: readonly string[];
    /** Of files that do not state their own; a bundle's manifest does. */
    readonly regoVersion?: RegoVersion;
    readonly parameters?: Readonly<Record<string, unknown>>;
    /** Files whose keys become the document under `data` of this policy. */
    readonly data?: readonly string[];
  }[];
  /** A builtin that fails is an error in Conftest rules too; in native rules it always is. */
  readonly strictErrors?: boolean;
  readonly issuers?: readonly ProjectIssuer[];
  readonly trust?: {
    readonly keys?: readonly JsonValue[];
    readonly identities?: readonly JsonValue[];
    readonly logs?: readonly JsonValue[];
  };
  readonly registries?: readonly Registry[];
  readonly ledger?: LedgerSettings;
  /** Whether what is evaluated is kept beside the ledger, for `replay`; it is, where this is not stated. */
  readonly inputs?: 'keep' | 'none';
  readonly people?: readonly Person[];
  /** The folder of what people have signed. */
  readonly statements?: { readonly directory: string };
  readonly waivers?: WaiverRule;
  readonly login?: LoginRule;
  /** Where approvals are imported from. */
  readonly forges?: readonly Forge[];
  /** What one evaluation of a policy may use, where it is not as usual. */
  readonly limits?: Partial<RegoLimits>;
  /** SHA-256 (hex) of the Project's canonical JSON. */
  readonly digest: string;
}

type Stated = Partial<Omit<Project, 'digest'>>;

/**
 * Reads a Project. Unknown keys are errors: a misspelt key must not quietly take a check away.
 * @throws {EngineError} PROJECT_SYNTAX | PROJECT_SCHEMA with one problem, line and column for each fault
 */
export function readProject(source: Source, reader: YamlReader): Project {
  const document = onlyDocument(source, reader);
  const faults = compileSchema(schema)(document.value);
  const stated: unknown = document.value;
  if (faults.length > 0 || !isStated(stated)) {
    const problems = faults.map(
      ({ pointer, message }): Problem => ({ message, location: locate(source, document, pointer) }),
    );
    throw new EngineError('PROJECT_SCHEMA', `${JSON.stringify(source.name)} is not a Project`, {
      problems,
      hint: 'docs/project.md lists every key',
    });
  }
  refuseMalformedNames(stated, source, document);
  refuseAmbiguous(stated, source, document);
  return {
    ...stated,
    environments: stated.environments ?? [],
    unmapped: stated.unmapped ?? 'deny',
    policies: stated.policies ?? [],
    digest: hash('sha256', canonicalBytes(document.json), 'hex'),
  };
}

// The schema has said everything about the shape; this only tells the compiler.
const isStated = (value: unknown): value is Stated => typeof value === 'object' && value !== null;

function onlyDocument(source: Source, reader: YamlReader): Document {
  let documents: readonly Document[];
  try {
    documents = readDocuments([source], reader);
  } catch (cause) {
    // A fault of the installation is none of the Project.
    if (!(cause instanceof EngineError) || !cause.code.startsWith('INPUT_')) throw cause;
    const { location, problems, message } = cause;
    throw new EngineError('PROJECT_SYNTAX', message, {
      cause,
      problems,
      ...(location === undefined ? {} : { location }),
    });
  }
  const [first, second] = documents;
  if (first === undefined || second !== undefined) {
    throw new EngineError(
      'PROJECT_SYNTAX',
      `${JSON.stringify(source.name)} holds ${documents.length} documents; a Project is one`,
    );
  }
  return first;
}

/** A pattern that can match nothing would leave rules out. */
function refuseMalformedNames(stated: Stated, source: Source, document: Document): void {
  const problems = (stated.policies ?? []).flatMap(({ namespaces = [] }, index) => {
    const malformed = malformedName(namespaces);
    if (malformed === undefined) return [];
    const pointer = `/policies/${index}/namespaces/${namespaces.indexOf(malformed)}`;
    const message = `${JSON.stringify(malformed)} is a malformed glob`;
    return [{ message, location: locate(source, document, pointer) }];
  });
  if (problems.length > 0)
    throw new EngineError('PROJECT_SCHEMA', `${JSON.stringify(source.name)} is not a Project`, { problems });
}

/** Two environments of one name, or one namespace (or all that has none) in two environments: which rules hold would be a matter of order. */
function refuseAmbiguous(stated: Stated, source: Source, document: Document): void {
  const environments = stated.environments ?? [];
  const problems: Problem[] = [];
  const report = (message: string, pointer: string): void => {
    problems.push({ message, location: locate(source, document, pointer) });
  };
  const names = new Set<string>();
  const namespaces = new Map<string, string>();
  for (const [index, environment] of environments.entries()) {
    if (names.has(environment.name))
      report(
        `environment ${JSON.stringify(environment.name)} is declared twice`,
        `/environments/${index}/name`,
      );
    names.add(environment.name);
    const first = environments.find((one) => one.clusterScoped === true);
    if (environment.clusterScoped === true && first !== environment)
      report(
        `cluster-scoped objects are in environment ${JSON.stringify(first?.name)} already`,
        `/environments/${index}/clusterScoped`,
      );
    const packs = (environment.packs ?? []).map((pack) => pack.name);
    for (const [at, pack] of packs.entries())
      if (packs.indexOf(pack) < at)
        report(`pack ${JSON.stringify(pack)} is listed twice`, `/environments/${index}/packs/${at}/name`);
    for (const [at, namespace] of (environment.namespaces ?? []).entries()) {
      const other = namespaces.get(namespace);
      if (other !== undefined)
        report(
          `namespace ${JSON.stringify(namespace)} is in environment ${JSON.stringify(other)} already`,
          `/environments/${index}/namespaces/${at}`,
        );
      namespaces.set(namespace, environment.name);
    }
  }
  for (const { message, pointer } of [...declaredTwice(stated), ...peopleFaults(stated)])
    report(message, pointer);
  if (problems.length > 0)
    throw new EngineError('PROJECT_SCHEMA', `${JSON.stringify(source.name)} is ambiguous`, { problems });
}

/** The environment of this name. @throws {EngineError} ENVIRONMENT_UNKNOWN, with the names there are */
export function environmentNamed(project: Project, name: string): Environment {
  const found = project.environments.find((environment) => environment.name === name);
  if (found !== undefined) return found;
  const known = project.environments.map((environment) => environment.name).join(', ');
  throw new EngineError('ENVIRONMENT_UNKNOWN', `there is no environment ${JSON.stringify(name)}`, {
    hint: known === '' ? 'the Project declares no environments' : `the Project declares: ${known}`,
  });
}

/** The environment that a namespace belongs to, if any; without a namespace the one that takes cluster-scoped objects. */
export function environmentOfNamespace(
  project: Project,
  namespace: string | undefined,
): Environment | undefined {
  return project.environments.find((environment) =>
    namespace === undefined
      ? environment.clusterScoped === true
      : environment.namespaces?.includes(namespace) === true,
  );
}
