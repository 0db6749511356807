// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { openKeeper } from '../../attest/inputs/index.ts';
import type { Lock } from '../../engine/policy/release/index.ts';
import { openRegoBuiltins } from '../../engine/toolchain/builtins.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../args.ts';
import { BUNDLE_FLAGS, REGISTRY_FLAGS } from '../bundles/flags.ts';
import { keepFresh } from '../bundles/roots.ts';
import { type LoadedJudge, type Loading, openPolicies } from '../bundles/serving.ts';
import { type ExitCode, UsageError } from '../exit.ts';
import { readSource } from '../files.ts';
import { findInstallation } from '../installation.ts';
import type { Io } from '../io.ts';
import { keepPolicies, recordKept } from '../ledger/keeping.ts';
import { type LedgerPlace, ledgerPlace, POSTGRES_FLAG } from '../ledger/place.ts';
import { openRecording } from '../ledger/recording.ts';
import { refuseIdleFlags, refuseWithoutEnvironments } from '../loading/idle.ts';
import { loadJudge } from '../loading/judge.ts';
import { NAMESPACE_FLAGS_OF_POLICY } from '../loading/namespaces.ts';
import { findProject } from '../loading/project.ts';
import { VERSION_FLAGS } from '../loading/version.ts';
import { openChecks } from '../remote/serving.ts';
import { withProgress } from '../report/progress.ts';
import { stateKey } from '../seal.ts';
import { keyRequest, PASSWORD_FLAG } from '../signing/flags.ts';
import { keyOf, openKey } from '../signing/key.ts';
import { uuidv7 } from '../uuid.ts';
import { PUBLISH_FLAGS, type Publishing, publishingOf, startPublishing } from './checkpoints/publishing.ts';

const DEFAULT_LISTEN = '127.0.0.1:8443';
const DEFAULT_NAMESPACE = 'countersign';
const DEFAULT_THREADS = 4;

export const serve: Verb = {
  name: 'serve',
  summary:
    'Serves the Kubernetes validating webhook: judges each request, signs and keeps a record, then answers.',
  positionals: '',
  details:
    'Without a Project it judges by the pack "baseline". Key, ledger, CA and certificate are made in the state folder on first use.',
  flags: {
    listen: {
      value: 'HOST:PORT',
      help: `where to listen (default ${DEFAULT_LISTEN}; port 0 takes a free one)`,
    },
    state: {
      value: 'DIR',
      help: "folder of key, ledger, CA and certificate (default the Project's ledger, or .countersign)",
    },
    project: {
      value: 'FILE',
      help: 'the Project (default countersign.yaml in this folder, if there is one)',
    },
    env: { value: 'NAME', help: 'judge every request for this environment, whatever its namespace' },
    policy: {
      value: 'PATH',
      multiple: true,
      help: 'folder, file or bundle of Rego policies; adds to the packs',
    },
    ...NAMESPACE_FLAGS_OF_POLICY,
    'strict-errors': {
      help: 'a builtin that fails is an error in Conftest rules too, as it always is in native ones',
    },
    parameters: { value: 'FILE', help: 'JSON or YAML of parameters by rule' },
    data: { value: 'FILE', multiple: true, help: 'JSON or YAML whose keys become the document under data' },
    refresh: {
      value: 'SECONDS',
      help: 'load policies and lock file anew this often (at least 10); what is refused leaves the last good ones judging',
    },
    follow: {
      needs: ['refresh'],
      help: 'take what the tag of an oci:// reference stands for now, where its release is signed by a trusted key and not older',
    },
    key: {
      value: 'FILE|URI',
      help: 'private key that signs records, or a key in a KMS (default: the key of the state folder)',
    },
    ...PASSWORD_FLAG,
    'metrics-token-file': {
      value: 'FILE',
      help: 'file of the bearer token that /metrics asks for (default: only callers on this machine)',
    },
    threads: {
      value: 'N',
      help: `how many threads judge (default one for each processor, at most ${DEFAULT_THREADS}); each loads the policies`,
    },
    'drain-delay': {
      value: 'SECONDS',
      help: 'how long to go on serving after SIGTERM while /readyz fails (default 0)',
    },
    host: {
      value: 'NAME',
      multiple: true,
      help: 'further name in the certificate, such as countersign.countersign.svc',
    },
    'print-manifest': { help: 'print the ValidatingWebhookConfiguration for this server and exit' },
    url: {
      value: 'URL',
      needs: ['print-manifest'],
      help: 'with --print-manifest: where the API server reaches it (default: the service countersign in its namespace); its host gets into the certificate',
    },
    namespace: {
      value: 'NAME',
      help: 'the namespace this server runs in, which is not judged (default countersign; with --url none)',
    },
    ...POSTGRES_FLAG,
    ...PUBLISH_FLAGS,
    ...VERSION_FLAGS,
    ...BUNDLE_FLAGS,
    ...REGISTRY_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  if (args.positionals.length > 0)
    throw new UsageError(`unexpected ${JSON.stringify(args.positionals[0])}`, 'see countersign serve --help');
  const reader = openYamlReader(findInstallation().toolchain);
  const found = findProject(args.text('project'), reader);
  refuseIdleFlags(args, io, { found, environment: args.text('env') });
  refuseWithoutEnvironments(args, found);
  const ledger = ledgerPlace(args, found);
  const { state } = ledger;
  if (!args.has('print-manifest'))
    return startAndWait(args, { ledger, publishing: publishingOf(args, found) }, io);
  const idle = Object.keys(serve.flags).filter((flag) => args.has(flag) && !PRINTED_BY.has(flag));
  if (idle.length > 0)
    io.err(`note: --print-manifest takes no account of ${idle.map((flag) => `--${flag}`).join(', ')}\n`);
  return printManifest(args, state, io);
}

/** What the printed configuration follows from. Others are no mistake: the command line of the server may be given as it is. */
const PRINTED_BY: ReadonlySet<string> = new Set([
  'print-manifest',
  'state',
  'project',
  'host',
  'url',
  'namespace',
]);

async function printManifest(args: Args, state: string, io: Io): Promise<ExitCode> {
  const { ensureCertificate, hostOfUrl, webhookManifest } = await import('../../webhook/index.ts');
  const url = args.text('url');
  const names = [...namesOf(args), ...(url === undefined ? [] : [hostOfUrl(url)])];
  const { caCert } = await ensureCertificate({ directory: state, names, now: io.now() });
  const stated = args.text('namespace');
  const namespace = stated ?? (url === undefined ? DEFAULT_NAMESPACE : undefined);
  io.out(
    webhookManifest({
      caCert,
      ...(namespace === undefined ? {} : { namespace }),
      ...(url === undefined
        ? { service: { name: 'countersign', namespace: namespace ?? DEFAULT_NAMESPACE } }
        : { url }),
    }),
  );
  return 0;
}

/** Names of the certificate beside the address that is listened to. */
const namesOf = (args: Args): readonly string[] => [
  `countersign.${args.text('namespace') ?? DEFAULT_NAMESPACE}.svc`,
  ...args.list('host'),
];

function listenOf(args: Args): { host: string; port: number } {
  const text = args.text('listen') ?? DEFAULT_LISTEN;
  const match = /^(?:\[([0-9a-f:]+)\]|([^:]+)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535)
    throw new UsageError(`--listen ${JSON.stringify(text)} is no HOST:PORT`, `such as ${DEFAULT_LISTEN}`);
  return { host: match[1] ?? match[2] ?? '', port };
}

const MAX_DRAIN_SECONDS = 3_600;

function optionsOf(args: Args): { metricsToken?: string; limits: { drainDelayMs?: number } } {
  const seconds = args.text('drain-delay');
  if (seconds !== undefined && !(/^\d{1,4}$/.test(seconds) && Number(seconds) <= MAX_DRAIN_SECONDS))
    throw new UsageError(
      `--drain-delay ${JSON.stringify(seconds)} is no number of seconds`,
      `a whole number, at most ${MAX_DRAIN_SECONDS}`,
    );
  const limits = seconds === undefined ? {} : { drainDelayMs: Number(seconds) * 1000 };
  const file = args.text('metrics-token-file');
  if (file === undefined) return { limits };
  const metricsToken = Buffer.from(readSource(file).bytes).toString('utf8').trim();
  // An empty one would be no token, and let whoever sends none read the metrics.
  if (/^[\x21-\x7e]{16,}$/.test(metricsToken)) return { limits, metricsToken };
  throw new UsageError(
    `${JSON.stringify(file)} holds no token`,
    'one line of at least 16 printable characters without spaces: openssl rand -hex 32',
  );
}

/** Where the ledger is, and what is published of it. */
interface Place {
  readonly ledger: LedgerPlace;
  readonly publishing: Publishing | undefined;
}

async function startAndWait(args: Args, { ledger, publishing }: Place, io: Io): Promise<ExitCode> {
  const { state } = ledger;
  const installation = findInstallation();
  const { host, port } = listenOf(args);
  const options = optionsOf(args);
  // One server of builtins for all loads: each is a thread.
  const builtins = openRegoBuiltins(installation.toolchain);
  const load = async (memory: Lock): Promise<LoadedJudge> => {
    const notes: string[] = [];
    const loaded = await loadJudge(args, { installation, builtins, notes }, { io, memory });
    for (const note of notes) io.err(`note: ${note}\n`);
    return loaded;
  };
  const { ensureCertificate, openThreads, startServer, ...webhook } = await import('../../webhook/index.ts');
  const engine = { version: installation.version, opa: installation.opa };
  const threads = openThreads({ count: threadsOf(args), toolchain: installation.toolchain, engine });
  const proving = webhook.openProving(io.now);
  const checks = openChecks(state, webhook.openChecking({ toolchain: installation.toolchain, engine }));
  const prepared = webhook.openPrepared(proving, () => performance.now());
  const claims = webhook.openClaims(prepared, io.now);
  const keeper = openKeeper(state);
  const use: Loading['use'] = async (parts, asked, sets) => {
    await keepPolicies(parts, { keeper, time: io.now().toISOString() });
    await threads.use(parts);
    claims.use(asked);
    checks.use(sets);
  };
  const policies = await withProgress(io, 'compiling policies', () =>
    openPolicies(refreshOf(args), state, { load, use, useChecks: checks.use }, io),
  );
  const key = args.has('key') ? await openKey(keyRequest(args), io) : keyOf(stateKey(state, io));
  const recording = await openRecording(ledger, { ...key, io });
  const certify = (): ReturnType<typeof ensureCertificate> =>
    ensureCertificate({ directory: state, names: [host, ...namesOf(args)], now: io.now() });
  const certificate = await certify();
  if (certificate.caReplaced) io.err('note: the CA is new: apply serve --print-manifest again\n');
  if (certificate.clockBehind) io.err('note: the certificate begins later than now: check the clock\n');
  // Before anything is listened to: a signal that comes meanwhile is kept, and drains what has begun.
  const stopped = new Promise<void>((resolve) => io.onStop(resolve));
  const server = await startServer({
    host,
    port,
    tls: { key: certificate.key, cert: certificate.cert },
    renew: certify,
    judge: (body, facts, isWanted) => threads.judge(body, facts, isWanted),
    claims: (body) => claims.about(body),
    notReady: () => [
      ...(policies.notReady().length > 0 ? policies.notReady() : threads.notReady()),
      ...recording.trouble(),
    ],
    ...(policies.refresh === undefined ? {} : { refresh: policies.refresh }),
    record: (statement, kept) => recordKept(statement, kept, { recording, keeper }),
    checks: checks.service({ place: ledger, recording, keeper }),
    ...options,
    memory: io.memory ?? 0,
    log: (event) => io.err(`${JSON.stringify(event)}\n`),
    now: io.now,
    newId: () => uuidv7(io.now()),
  });
  io.out(`listening on ${server.url}\n`);
  const stopFetching = keepFresh(policies.refreshRoots, io);
  const published = publishing === undefined ? undefined : startPublishing(ledger, publishing, io);
  await stopped;
  stopFetching();
  await server.stop();
  await threads.close();
  await Promise.all([proving.close(), checks.close()]);
  await recording.close();
  await keeper.close();
  await published?.stop();
  return 0;
}

const MAX_THREADS = 64;

/** How many threads judge: by default one for each processor, at most four. */
function threadsOf(args: Args): number {
  const text = args.text('threads');
  if (text === undefined) return Math.min(availableParallelism(), DEFAULT_THREADS);
  const count = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MAX_THREADS)
    throw new UsageError(
      `--threads ${JSON.stringify(text)} is no number of threads`,
      `from 1 to ${MAX_THREADS}, such as 2`,
    );
  return count;
}

/** How often policies are loaded anew, in milliseconds; undefined where they are loaded once. */
function refreshOf(args: Args): number | undefined {
  const text = args.text('refresh');
  if (text === undefined) return undefined;
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (seconds < 10)
    throw new UsageError(`--refresh ${JSON.stringify(text)} is no number of seconds from 10`, 'such as 60');
  return seconds * 1000;
}
