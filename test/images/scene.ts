// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseOciReference, pushArtefact, type RegistryAccess } from '../../attest/oci/index.ts';
import type { Tally } from '../cluster/checks/tally.ts';
import type { ImagePrograms } from './build.ts';

const LAUNCHER = resolve(import.meta.dirname, '../../cli/launcher.cjs');
const ACCESS: RegistryAccess = { plainHttp: true, privateHosts: [], credentials: () => undefined };

/** Where the checks happen: a folder, the programs, a registry that runs. */
export interface Scene {
  readonly directory: string;
  readonly programs: ImagePrograms;
  readonly registry: string;
  readonly tally: Tally;
}

/** What a program printed and how it ended. */
export interface Outcome {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

function run({ directory }: Scene, program: string, args: readonly string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: directory,
    encoding: 'utf8',
    timeout: 120_000,
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, COSIGN_PASSWORD: 'of a test' },
  });
  return { exit: status, out: stdout ?? '', err: stderr ?? '' };
}

export const countersign = (scene: Scene, ...args: readonly string[]): Outcome =>
  run(scene, process.execPath, [LAUNCHER, ...args]);

/** Runs cosign, which must do what it is asked. */
export function cosign(scene: Scene, ...args: readonly string[]): void {
  const outcome = run(scene, scene.programs.cosign, args);
  if (outcome.exit !== 0) throw new Error(`cosign ${args.join(' ')}: ${outcome.err}`);
}

/** Without a log: nothing of a test is told to the world. */
const UNLOGGED = ['-y', '--tlog-upload=false', '--use-signing-config=false'] as const;
/** cosign's layout of today, or the one from before. */
export type Layout = 'bundle' | 'tag';

const layoutFlag = (layout: Layout): readonly string[] =>
  layout === 'bundle' ? [] : ['--new-bundle-format=false'];

export const signImage = (scene: Scene, key: string, image: string, layout: Layout): void =>
  cosign(scene, 'sign', ...UNLOGGED, ...layoutFlag(layout), '--key', `${key}.key`, image);

export function attestImage(
  scene: Scene,
  key: string,
  image: string,
  layout: Layout,
  predicate: string,
): void {
  const what = ['--type', 'slsaprovenance1', '--predicate', predicate];
  cosign(scene, 'attest', ...UNLOGGED, ...layoutFlag(layout), '--key', `${key}.key`, ...what, image);
}

export const makeKey = (scene: Scene, name: string): void =>
  cosign(scene, 'generate-key-pair', '--output-key-prefix', name);

/** Pushes an image with this content and returns its name by digest. */
export async function pushImage({ registry }: Scene, name: string, content: string): Promise<string> {
  const reference = parseOciReference(`oci://${registry}/${name}`);
  const layers = [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', bytes: Buffer.from(content) }];
  const digest = await pushArtefact(reference, { layers }, ACCESS);
  return `${registry}/${reference.repository}@${digest}`;
}

/** Fails the check that is running, unless a program ended so and printed this. */
export function expectOutcome(outcome: Outcome, exit: number, ...parts: readonly string[]): undefined {
  const said = `${outcome.out}${outcome.err}`;
  if (outcome.exit === exit && parts.every((part) => said.includes(part))) return undefined;
  throw new Error(
    `wanted exit ${exit} and ${JSON.stringify(parts)}, got ${JSON.stringify(outcome, null, 1)}`,
  );
}

/** Writes files below the folder of the scene. */
export function write({ directory }: Scene, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
}
