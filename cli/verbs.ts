// SPDX-License-Identifier: Apache-2.0
import type { Verb } from './args.ts';

/** Every verb: its name, one line for the overview, and how to load it. Only the verb that runs is loaded. */
export const VERBS: Readonly<
  Record<string, { readonly summary: string; readonly load: () => Promise<Verb> }>
> = {
  check: {
    summary: 'evaluate manifests and decide',
    load: async () => (await import('./commands/check.ts')).check,
  },
  render: {
    summary: 'print what a chart or overlay renders to',
    load: async () => (await import('./commands/check.ts')).render,
  },
  'verify record': {
    summary: 'check a signed record offline',
    load: async () => (await import('./commands/verify.ts')).verifyRecordVerb,
  },
  replay: {
    summary: 'decide recorded changes again',
    load: async () => (await import('./commands/after/index.ts')).replay,
  },
  'inputs prune': {
    summary: 'delete kept inputs whose years are over',
    load: async () => (await import('./commands/after/index.ts')).inputsPrune,
  },
  'report evidence': {
    summary: 'pack the evidence for a framework',
    load: async () => (await import('./commands/after/index.ts')).reportEvidence,
  },
  'report sample': {
    summary: 'draw a sample of changes for an auditor',
    load: async () => (await import('./commands/after/index.ts')).reportSample,
  },
  'report vsa': {
    summary: 'sign the summary of an allow, as SLSA has it',
    load: async () => (await import('./commands/after/index.ts')).reportVsa,
  },
  approve: {
    summary: 'approve a set, a waiver, a lock',
    load: async () => (await import('./commands/people/index.ts')).approve,
  },
  'approvals import': {
    summary: 'sign what GitLab or GitHub knows of approvals',
    load: async () => (await import('./commands/imports/index.ts')).approvalsImport,
  },
  revoke: {
    summary: 'take back what was signed',
    load: async () => (await import('./commands/people/index.ts')).revoke,
  },
  waive: {
    summary: 'ask for an exception from a rule',
    load: async () => (await import('./commands/people/index.ts')).waive,
  },
  waivers: {
    summary: 'list the waivers of an environment',
    load: async () => (await import('./commands/people/index.ts')).waivers,
  },
  'break-glass': {
    summary: 'let denied changes through for hours',
    load: async () => (await import('./commands/people/index.ts')).breakGlass,
  },
  lock: {
    summary: 'lock the artefacts of a release',
    load: async () => (await import('./commands/people/index.ts')).lock,
  },
  unlock: {
    summary: 'open artefacts of a locked release',
    load: async () => (await import('./commands/people/index.ts')).unlock,
  },
  'verify lock': {
    summary: 'show the locks in force',
    load: async () => (await import('./commands/people/index.ts')).verifyLock,
  },
  reviews: {
    summary: 'list broken glasses to be reviewed',
    load: async () => (await import('./commands/people/index.ts')).reviews,
  },
  'verify bundle': {
    summary: 'check who signed an artifact, and what they say of it',
    load: async () => (await import('./commands/proof/bundle.ts')).verifyBundleVerb,
  },
  'verify image': {
    summary: 'check who signed or attested an image',
    load: async () => (await import('./commands/proof/image.ts')).verifyImageVerb,
  },
  serve: {
    summary: 'serve the Kubernetes webhook',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  sign: {
    summary: 'sign a file',
    load: async () => (await import('./commands/signing/index.ts')).sign,
  },
  attest: {
    summary: 'sign what is said of an image or a file',
    load: async () => (await import('./commands/signing/index.ts')).attest,
  },
  'records list': {
    summary: 'list records of the ledger',
    load: async () => (await import('./commands/records/index.ts')).recordsList,
  },
  'records show': {
    summary: 'show one record',
    load: async () => (await import('./commands/records/index.ts')).recordsShow,
  },
  'records export': {
    summary: 'print records as bundles or a table',
    load: async () => (await import('./commands/records/index.ts')).recordsExport,
  },
  'records prove': {
    summary: 'prove a record by the newest checkpoint',
    load: async () => (await import('./commands/records/index.ts')).recordsProve,
  },
  'records verify': {
    summary: 'find what was changed in the ledger',
    load: async () => (await import('./commands/records/index.ts')).recordsVerify,
  },
  'records checkpoint': {
    summary: 'print the newest checkpoint',
    load: async () => (await import('./commands/records/index.ts')).recordsCheckpoint,
  },
  'records publish': {
    summary: 'publish the newest checkpoint',
    load: async () => (await import('./commands/records/index.ts')).recordsPublish,
  },
  'records trusted-root': {
    summary: 'print who the ledger is, for verifiers',
    load: async () => (await import('./commands/records/index.ts')).recordsTrustedRoot,
  },
  'records tiles': {
    summary: 'write the log as files for a web server',
    load: async () => (await import('./commands/records/index.ts')).recordsTiles,
  },
  'policy build': {
    summary: 'compile policies to WebAssembly',
    load: async () => (await import('./commands/policy/index.ts')).policyBuild,
  },
  'policy check': {
    summary: 'check policies strictly',
    load: async () => (await import('./commands/policy/index.ts')).policyCheck,
  },
  'policy test': {
    summary: 'run the tests of policies',
    load: async () => (await import('./commands/policy/index.ts')).policyTest,
  },
  'policy fmt': {
    summary: 'lay out Rego files as OPA does',
    load: async () => (await import('./commands/policy/index.ts')).policyFmt,
  },
  'policy eval': {
    summary: 'answer a query and explain it',
    load: async () => (await import('./commands/policy/index.ts')).policyEval,
  },
  'policy inspect': {
    summary: 'list what Rego files hold',
    load: async () => (await import('./commands/policy/index.ts')).policyInspect,
  },
  'policy deps': {
    summary: 'list what a reference reads',
    load: async () => (await import('./commands/policy/index.ts')).policyDeps,
  },
  'policy bench': {
    summary: 'measure how fast a policy decides',
    load: async () => (await import('./commands/policy/index.ts')).policyBench,
  },
  'policy sign': {
    summary: 'sign a bundle as a release',
    load: async () => (await import('./commands/policy/index.ts')).policySign,
  },
  'policy push': {
    summary: 'push a bundle to a registry',
    load: async () => (await import('./commands/policy/index.ts')).policyPush,
  },
  'policy pull': {
    summary: 'pull a bundle from a registry',
    load: async () => (await import('./commands/policy/index.ts')).policyPull,
  },
  init: {
    summary: 'make a Project, a key and a ledger',
    load: async () => (await import('./commands/init.ts')).init,
  },
};

/** The help without a verb. */
export function overview(): string {
  const width = Math.max(...Object.keys(VERBS).map((name) => name.length));
  const lines = Object.entries(VERBS).map(([name, verb]) => `  ${name.padEnd(width)}  ${verb.summary}`);
  return [
    'countersign: what was approved is what was applied, and anyone can check it later',
    '',
    'usage: countersign VERB [flags]',
    '',
    ...lines,
    '',
    'countersign VERB --help tells what a verb takes; countersign --version prints the version.',
    '',
  ].join('\n');
}
