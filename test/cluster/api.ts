// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { request } from 'node:https';

/** How to reach the API server as an administrator. */
export interface Access {
  readonly url: string;
  readonly token: string;
  /** PEM. */
  readonly ca: string;
  readonly kubectl: string;
  readonly kubeconfig: string;
}

/** What the API server said. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
  /** `message` of a Status, or the body's text. */
  readonly message: string;
  readonly warnings: readonly string[];
}

/** One HTTP request to the API server. */
export function call(access: Access, method: string, path: string, body?: object): Promise<ApiAnswer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, access.url),
      {
        method,
        ca: access.ca,
        agent: false,
        timeout: 40_000,
        headers: {
          authorization: `Bearer ${access.token}`,
          accept: 'application/json',
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
        },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const warning = response.headers['warning'];
          resolve(answerOf(response.statusCode ?? 0, Buffer.concat(chunks).toString(), warning));
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer to ${method} ${path}`)));
    sent.on('error', reject);
    sent.end(text);
  });
}

function answerOf(status: number, text: string, warning: string | string[] | undefined): ApiAnswer {
  const warnings = warning === undefined ? [] : [warning].flat();
  try {
    const body: unknown = JSON.parse(text);
    const message = field(body, 'message');
    return { status, body, message: typeof message === 'string' ? message : text, warnings };
  } catch {
    return { status, body: text, message: text, warnings };
  }
}

/** The value at a path of keys and indices in parsed JSON; undefined where there is none. */
export function field(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = Object.getOwnPropertyDescriptor(current, key)?.value;
  }
  return current;
}

/** What kubectl did. */
export interface KubectlAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl as the administrator, `input` on its standard input. */
export function kubectl(access: Access, args: readonly string[], input?: string): Promise<KubectlAnswer> {
  return run(access.kubectl, ['--kubeconfig', access.kubeconfig, ...args], input);
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], input = ''): Promise<KubectlAnswer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: 60_000 });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.stdin.on('error', () => undefined);
    child.on('close', (code) =>
      resolve({
        code: code ?? -1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
    child.stdin.end(input);
  });
}
