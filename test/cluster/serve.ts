// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type KubectlAnswer, run } from './api.ts';
import { freePort, type Running, start, waitFor } from './process.ts';

const LAUNCHER = join(import.meta.dirname, '..', '..', 'cli', 'launcher.cjs');

/** One run of `countersign serve`. */
export interface Serve {
  readonly running: Running;
  /** `https://127.0.0.1:PORT`. */
  readonly url: string;
}

/** Where the webhook keeps its state, and on which port it listens in every run. */
export interface ServeSettings {
  readonly state: string;
  readonly port: number;
  /** Folder of the logs, one for each run. */
  readonly directory: string;
}

/** Settings for one suite: an empty state folder and a free port. */
export async function serveSettings(directory: string): Promise<ServeSettings> {
  return { state: join(directory, 'state'), port: await freePort(), directory };
}

/** Starts the webhook as a user would and waits until it says that it listens. */
export async function startServe(
  settings: ServeSettings,
  label: string,
  more: readonly string[] = [],
): Promise<Serve> {
  const listen = `127.0.0.1:${settings.port}`;
  const running = start({
    name: 'countersign serve',
    program: process.execPath,
    args: [LAUNCHER, 'serve', '--listen', listen, '--state', settings.state, ...more],
    log: join(settings.directory, `serve-${label}.log`),
    // A folder without a Project.
    cwd: settings.directory,
  });
  const listening = (): string | undefined => /^listening on (https:\S+)$/m.exec(running.output())?.[1];
  const url = await waitFor('the webhook listens', listening, { patienceMs: 60_000, running });
  return { running, url };
}

/** The ValidatingWebhookConfiguration that the product prints for this state. */
export function printManifest(settings: ServeSettings): Promise<KubectlAnswer> {
  const url = `https://127.0.0.1:${settings.port}/v1/admit`;
  const args = ['serve', '--print-manifest', '--url', url, '--state', settings.state];
  return run(process.execPath, [LAUNCHER, ...args]);
}
