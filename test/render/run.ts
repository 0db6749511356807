// SPDX-License-Identifier: Apache-2.0
//
// The streams of test/render/cases, made again by the real tools and by us:
//   npm run test:render                    compares; UPDATE_GOLDEN=1 writes `out` of each case anew, by the real tools
// Prints one line for each case and ends with "N passed, N failed". Exit code 0, 1, or 77 where Go is missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTally } from '../cluster/checks/tally.ts';
import { buildPrograms, exitWithoutGo, type GoProgram } from '../cluster/go.ts';
import { ourArguments, type RenderCase, renderCases } from './cases.ts';

/** As the project's own releases are built, for the versions of Kubernetes and of Helm that charts may print. */
const HELM = [
  'internal/version.version=v3.22.0',
  'internal/version.metadata=',
  'internal/version.gitTreeState=clean',
  'pkg/chartutil.k8sVersionMajor=1',
  'pkg/chartutil.k8sVersionMinor=37',
].map((setting) => `-X helm.sh/helm/v3/${setting}`);

/** kubectl 1.37 has the api of Kustomize that its release 5.8.2 has. */
const PROGRAMS: readonly GoProgram[] = [
  { name: 'helm', package: 'helm.sh/helm/v3/cmd/helm@v3.22.0', ldflags: HELM },
  { name: 'kustomize', package: 'sigs.k8s.io/kustomize/kustomize/v5@v5.8.2' },
];

const LAUNCHER = join(import.meta.dirname, '../../cli/launcher.cjs');
const MAX_BYTES = 64 * 1024 * 1024;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface Printed {
  readonly out: Buffer;
  readonly failure?: string;
}

function run(program: string, parameters: readonly string[]): Printed {
  const ended = spawnSync(program, parameters, { maxBuffer: MAX_BYTES });
  return ended.status === 0
    ? { out: ended.stdout }
    : { out: ended.stdout, failure: `exit ${ended.status}: ${ended.stderr.toString()}` };
}

function byTool(one: RenderCase, programs: ReadonlyMap<string, string>): Printed {
  const program = programs.get(one.tool) ?? '';
  const path = join(one.folder, one.path);
  if (one.tool === 'kustomize') return run(program, ['build', path]);
  return run(program, ['template', ...(one.release === undefined ? [] : [one.release]), path, ...one.args]);
}

function faultOf(one: RenderCase, programs: ReadonlyMap<string, string>): string | undefined {
  const real = byTool(one, programs);
  if (real.failure !== undefined) return `${one.tool}: ${real.failure}`;
  const golden = join(one.folder, 'out');
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, real.out);
  if (!existsSync(golden) || !real.out.equals(readFileSync(golden)))
    return `${one.tool} prints another stream`;
  const ours = run(process.execPath, [LAUNCHER, ...ourArguments(one)]);
  if (ours.failure !== undefined) return `countersign: ${ours.failure}`;
  return ours.out.equals(real.out) ? undefined : `countersign prints another stream:\n${ours.out.toString()}`;
}

async function main(): Promise<number> {
  exitWithoutGo('which helm and kustomize are built with');
  const programs = await buildPrograms(PROGRAMS, join(import.meta.dirname, '.build'));
  const tally = startTally(print);
  const cases = renderCases();
  const check = (text: string, fault: () => string | undefined): Promise<void> =>
    tally.check(text, async () => {
      const found = fault();
      if (found !== undefined) throw new Error(found);
      return undefined;
    });
  await check('there are at least 30 cases', () =>
    cases.length < 30 ? `there are ${cases.length}` : undefined,
  );
  for (const one of cases) await check(one.name, () => faultOf(one, programs));
  print(`${tally.passed()} passed, ${tally.failed()} failed`);
  return tally.failed() === 0 ? 0 : 1;
}

process.exit(await main());
