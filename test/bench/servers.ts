// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ensureCertificate } from '../../webhook/index.ts';
import { freePort, type Running, start, waitFor } from '../cluster/process.ts';

const LAUNCHER = join(import.meta.dirname, '..', '..', 'cli', 'launcher.cjs');
const RULES = join(import.meta.dirname, 'rules');
const PATIENCE_MS = 60_000;

/** A server under load. */
export interface Server {
  readonly name: 'opa' | 'countersign';
  readonly running: Running;
  readonly port: number;
  readonly path: string;
  /** File of the CA, PEM. */
  readonly ca: string;
}

/** Starts `countersign serve` on a new state folder: records signed, durable before each answer, every request logged. */
export async function startCountersign(directory: string): Promise<Server> {
  const state = join(directory, 'state');
  const port = await freePort();
  const listen = `127.0.0.1:${port}`;
  const args = [LAUNCHER, 'serve', '--listen', listen, '--state', state, '--policy', RULES];
  const running = start({
    name: 'countersign',
    program: process.execPath,
    args,
    cwd: directory,
    log: join(directory, 'countersign.log'),
  });
  const listening = (): true | undefined => (/^listening on /m.test(running.output()) ? true : undefined);
  await waitFor('countersign listens', listening, { patienceMs: PATIENCE_MS, running });
  // The certificate that it made, or keeps: the bytes are read from the same folder.
  const { caCert } = await ensureCertificate({ directory: state, names: [], now: new Date() });
  const ca = join(directory, 'countersign-ca.pem');
  writeFileSync(ca, caCert);
  return { name: 'countersign', running, port, path: '/v1/admit', ca };
}

/**
 * Starts `opa run --server` with the same rules, a key of the same kind, and no log of requests. In a folder of its own: it watches
 * the folder of its certificate, and would be woken by each line that the other server writes to its log.
 */
export async function startOpa(program: string, parent: string): Promise<Server> {
  const directory = join(parent, 'opa');
  mkdirSync(directory);
  const certificates = join(directory, 'certificate');
  mkdirSync(certificates, { mode: 0o700 });
  const made = await ensureCertificate({ directory: certificates, names: [], now: new Date() });
  const [cert, key, ca] = [
    join(directory, 'opa.crt'),
    join(directory, 'opa.key'),
    join(directory, 'opa-ca.pem'),
  ];
  for (const [file, text] of [
    [cert, made.cert],
    [key, made.key],
    [ca, made.caCert],
  ] as const) {
    writeFileSync(file, text, { mode: 0o600 });
  }
  const port = await freePort();
  const args = [
    'run',
    '--server',
    `--addr=https://127.0.0.1:${port}`,
    `--tls-cert-file=${cert}`,
    `--tls-private-key-file=${key}`,
    '--log-level=error',
    '--skip-version-check',
    RULES,
    join(import.meta.dirname, 'opa'),
  ];
  const running = start({ name: 'opa', program, args, cwd: directory, log: join(directory, 'opa.log') });
  await waitFor('opa listens', () => accepts(port), { patienceMs: PATIENCE_MS, running });
  return { name: 'opa', running, port, path: '/v0/data/system/main', ca };
}

function accepts(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: true | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => end(true));
    socket.on('error', () => end(undefined));
  });
}
