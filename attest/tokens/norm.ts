// SPDX-License-Identifier: Apache-2.0
// What GitLab and GitHub say of a job, under the same names and with the same types. GitLab writes ids and booleans as strings; here
// ids are strings and booleans are booleans, and what is neither makes the token useless.
import type { Members } from './compact.ts';
import { quoted, refuse } from './refusal.ts';

/** What a token says of a job; a member that is not known is absent. */
export interface JobFacts {
  readonly project?: string;
  readonly projectId?: string;
  /** Whole: `refs/heads/main`. */
  readonly ref?: string;
  readonly refType?: string;
  readonly refProtected?: boolean;
  readonly sha?: string;
  readonly environment?: string;
  readonly environmentProtected?: boolean;
  readonly deploymentTier?: string;
  readonly environmentAction?: string;
  readonly pipelineId?: string;
  readonly jobId?: string;
  readonly user?: string;
  readonly userId?: string;
  readonly runnerEnvironment?: string;
  readonly ciConfigRef?: string;
  readonly ciConfigSha?: string;
  readonly jobSource?: string;
  readonly policyJob?: { readonly url?: string; readonly sha?: string };
  readonly workflowRef?: string;
  readonly jobWorkflowRef?: string;
  readonly runId?: string;
  readonly visibility?: string;
}

/** @see https://docs.gitlab.com/ci/secrets/id_token_authentication/  Token payload */
export function gitlabFacts(claims: Members): JobFacts {
  const { text, id, flag } = readers(claims);
  const config = claims['job_config'];
  return known({
    project: text('project_path'),
    projectId: id('project_id'),
    ref: text('ref_path') ?? wholeRef(text('ref'), text('ref_type')),
    refType: text('ref_type'),
    refProtected: flag('ref_protected'),
    sha: text('sha'),
    environment: text('environment'),
    environmentProtected: flag('environment_protected'),
    deploymentTier: text('deployment_tier'),
    environmentAction: text('environment_action'),
    pipelineId: id('pipeline_id'),
    jobId: id('job_id'),
    user: text('user_login'),
    userId: id('user_id'),
    runnerEnvironment: text('runner_environment'),
    ciConfigRef: text('ci_config_ref_uri'),
    ciConfigSha: text('ci_config_sha'),
    jobSource: text('job_source'),
    policyJob: config === undefined || config === null ? undefined : policyJob(config),
    visibility: text('project_visibility'),
  });
}

/** @see https://docs.github.com/en/actions/reference/security/oidc */
export function githubFacts(claims: Members): JobFacts {
  const { text, id, flag } = readers(claims);
  return known({
    project: text('repository'),
    projectId: id('repository_id'),
    ref: text('ref'),
    refType: text('ref_type'),
    refProtected: flag('ref_protected'),
    sha: text('sha'),
    environment: text('environment'),
    user: text('actor'),
    userId: id('actor_id'),
    runnerEnvironment: text('runner_environment'),
    workflowRef: text('workflow_ref'),
    jobWorkflowRef: text('job_workflow_ref'),
    runId: id('run_id'),
    visibility: text('repository_visibility'),
  });
}

/** Before GitLab had `ref_path`; a ref of another type is none of the two. */
function wholeRef(ref: string | undefined, type: string | undefined): string | undefined {
  if (ref === undefined || (type !== 'branch' && type !== 'tag')) return undefined;
  return `refs/${type === 'branch' ? 'heads' : 'tags'}/${ref}`;
}

function policyJob(config: unknown): JobFacts['policyJob'] {
  if (typeof config !== 'object' || config === null) return malformed('job_config', config);
  const { text } = readers(Object.fromEntries(Object.entries(config)));
  return known({ url: text('url'), sha: text('sha') });
}

interface Readers {
  readonly text: (name: string) => string | undefined;
  readonly id: (name: string) => string | undefined;
  readonly flag: (name: string) => boolean | undefined;
}

/** An empty text and null say that there is nothing. */
function readers(claims: Members): Readers {
  const read =
    <T>(parse: (value: unknown) => T | undefined) =>
    (name: string): T | undefined => {
      const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
      if (value === undefined || value === null || value === '') return undefined;
      return parse(value) ?? malformed(name, value);
    };
  return {
    text: read((value) => (typeof value === 'string' ? value : undefined)),
    id: read(idOf),
    flag: read(flagOf),
  };
}

function idOf(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value);
  return typeof value === 'string' ? value : undefined;
}

function flagOf(value: unknown): boolean | undefined {
  if (value === true || value === 'true') return true;
  return value === false || value === 'false' ? false : undefined;
}

const malformed = (name: string, value: unknown): never =>
  refuse('CLAIMS', `the claim ${quoted(name)} is ${quoted(value)}`);

/** Without the members that are undefined. */
function known<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> {
  const found: Partial<T> = {};
  for (const name in members) {
    const value = members[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}
