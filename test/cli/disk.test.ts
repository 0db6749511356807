// SPDX-License-Identifier: Apache-2.0
// A disk that is full, in real processes: what could not be kept or written was not answered.

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const LAUNCHER = join(process.cwd(), 'cli/launcher.cjs');
const root = mkdtempSync(join(tmpdir(), 'countersign-disk-'));
const state = join(root, '.countersign');
afterAll(() => rmSync(root, { recursive: true }));

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line; `limitKiB` is the size that no file may grow beyond, as on a disk without room. */
function run(argv: readonly string[], o: { limitKiB?: number; stdout?: number } = {}): Ended {
  const command = [process.execPath, LAUNCHER, ...argv];
  const limited = ['bash', '-c', `ulimit -f ${o.limitKiB}; exec "$@"`, 'bash', ...command];
  const [file = '', ...parameters] = o.limitKiB === undefined ? command : limited;
  const { status, stdout, stderr } = spawnSync(file, parameters, {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', COUNTERSIGN_CACHE: join(root, 'cache') },
    stdio: ['ignore', o.stdout ?? 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  return { status, out: stdout ?? '', err: stderr };
}

beforeAll(() => {
  writeFileSync(join(root, 'pod.yaml'), 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x}\n');
  writeFileSync(
    join(root, 'allow.rego'),
    'package main\nimport rego.v1\ndeny contains "no" if input.kind == "X"\n',
  );
  expect(run(['init']).status).toBe(0);
  rmSync(join(root, 'countersign.yaml'));
  writeFileSync(
    join(root, 'project.yaml'),
    'apiVersion: countersign.dev/v1alpha1\nkind: Project\nenvironments: [{name: test, tier: testing}]\npolicies: [{path: allow.rego}]\n',
  );
});

const CHECK = ['check', 'pod.yaml', '--policy', 'allow.rego'];
const FOR_TEST = ['check', 'pod.yaml', '--project', 'project.yaml', '--env', 'test'];
const SIGNED = [...FOR_TEST, '--record', 'record.json', '--key', '.countersign/key.pem'];

describe('where the ledger has no room', () => {
  it('an allow is not answered: exit 5, the reason, and no record file', () => {
    const limitKiB = Math.ceil(statSync(join(state, 'ledger.sqlite3')).size / 1024 / 2);
    const full = run(SIGNED, { limitKiB });
    expect(full).toMatchObject({ status: 5, out: '' });
    expect(full.err).toMatch(
      /^countersign: .*ledger.*, in "\.countersign" \[LEDGER_(?:FULL|UNAVAILABLE)\]\nhint: .+\n$/m,
    );
    expect(full.err).not.toMatch(/^ +at /m);
    expect(readdirSync(root).filter((name) => name.startsWith('record.json'))).toEqual([]);
  });

  it('and neither where its folder is a file', () => {
    const file = run([...SIGNED, '--state', 'pod.yaml']);
    expect(file).toMatchObject({ status: 5, out: '' });
    expect(file.err).toMatch(
      /^countersign: cannot open the ledger: E\w+, in "pod\.yaml" \[LEDGER_UNAVAILABLE\]\nhint: .+\n$/,
    );
    expect(existsSync(join(root, 'record.json'))).toBe(false);
  });

  it('a new ledger is not made by halves', () => {
    const full = run([...SIGNED, '--state', 'new'], { limitKiB: 1 });
    expect(full).toMatchObject({ status: 5, out: '' });
    expect(full.err).toMatch(/\[LEDGER_(?:FULL|UNAVAILABLE)\]\nhint: /);
    expect(existsSync(join(root, 'record.json'))).toBe(false);
  });

  it('a state folder that cannot be made is an error, not a wait', () => {
    const full = run([...SIGNED, '--state', '/proc/countersign/state']);
    expect(full).toMatchObject({ status: 5, out: '' });
    expect(full.err).toContain('cannot write "/proc/countersign": ENOENT [LEDGER_UNAVAILABLE]');
  });

  it('nothing that was kept is lost: with room again, both ledgers take records', () => {
    for (const more of [[], ['--state', 'new']]) {
      expect(run([...SIGNED, ...more])).toMatchObject({ status: 0, out: expect.stringContaining('allowed') });
      const trust = join(more[1] ?? '.countersign', 'trust.json');
      expect(run(['verify', 'record', 'record.json', '--trust', trust])).toMatchObject({ status: 0 });
    }
  });
});

describe('where the answer cannot be written', () => {
  it.each([
    ['an allow', CHECK],
    ['a decision as JSON', [...CHECK, '--format', 'json']],
    ['a verification', ['verify', 'record', 'record.json', '--trust', 'new/trust.json']],
  ])('%s on a full disk ends with 70, never 0', (_, argv) => {
    const stdout = openSync('/dev/full', 'w');
    try {
      expect(run(argv, { stdout }).status).toBe(70);
    } finally {
      closeSync(stdout);
    }
  });

  it('a report file on a full disk is an error that names it', () => {
    expect(run([...CHECK, '--format', 'sarif=/dev/full'])).toEqual({
      status: 3,
      out: '',
      err: 'countersign: cannot write the report "/dev/full": ENOSPC [INPUT_UNREADABLE]\nhint: check that its folder exists and can be written\n',
    });
  });

  it.each([
    ['that was there stays as it was', 'old'],
    ['that was not there is not there by halves', undefined],
  ])('a report %s', (_, before) => {
    const report = join(root, 'report.json');
    rmSync(report, { force: true });
    if (before !== undefined) writeFileSync(report, before);
    const many = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n'.repeat(200);
    writeFileSync(join(root, 'many.yaml'), many.replaceAll('kind: Pod', 'kind: X'));
    const argv = ['check', 'many.yaml', '--policy', 'allow.rego', '--format', 'json=report.json'];
    expect(run(argv, { limitKiB: 8 })).toEqual({
      status: 3,
      out: '',
      err: 'countersign: cannot write the report "report.json": EFBIG [INPUT_UNREADABLE]\nhint: check that its folder exists and can be written\n',
    });
    expect(existsSync(report) ? readFileSync(report, 'utf8') : undefined).toBe(before);
    expect(readdirSync(root).filter((name) => name.startsWith('report.json.'))).toEqual([]);
  });

  it('a record is not put in the place of what is no file', () => {
    const folder = run([...FOR_TEST, '--record', '.', '--key', '.countersign/key.pem']);
    expect(folder).toMatchObject({ status: 5, out: '' });
    expect(folder.err).toContain('cannot write "."');
    const device = join(root, 'device');
    spawnSync('mkfifo', [device]);
    const pipe = run([...FOR_TEST, '--record', 'device', '--key', '.countersign/key.pem']);
    expect(pipe).toMatchObject({ status: 5, out: '' });
    expect(statSync(device).isFIFO()).toBe(true);
  });
});
