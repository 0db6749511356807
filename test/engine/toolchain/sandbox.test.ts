// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { makeSandbox, type Sandbox } from '../../../engine/toolchain/sandbox.ts';

const section = (id: number, bytes: readonly number[]): number[] => [id, bytes.length, ...bytes];
const text = (value: string): number[] => [value.length, ...Buffer.from(value)];

/** A module that only imports functions of these names; a name is all that the sandbox looks at. */
function importing(names: readonly string[]): WebAssembly.Module {
  const types = section(1, [1, 0x60, 0, 0]);
  const imports = names.flatMap((name) => [...text('wasi'), ...text(name), 0, 0]);
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  return new WebAssembly.Module(
    Uint8Array.from([...header, ...types, ...section(2, [names.length, ...imports])]),
  );
}

function open(name: string): { sandbox: Sandbox; view: DataView; run: WebAssembly.Function } {
  const sandbox = makeSandbox(importing([name]));
  const memory = new WebAssembly.Memory({ initial: 1 });
  sandbox.attach(memory);
  const run = sandbox.imports['wasi_snapshot_preview1']?.[name];
  if (typeof run !== 'function') throw new Error(`${name} is not served`);
  return { sandbox, view: new DataView(memory.buffer), run };
}

describe('the sandbox', () => {
  it.each(['fd_read', 'fd_prestat_get', 'fd_readdir', 'fd_close'])('has no file for %s', (name) => {
    expect(open(name).run(0, 0, 0, 0)).toBe(8);
  });

  it.each(['path_open', 'path_readlink', 'sock_accept', 'sock_shutdown'])('does not serve %s', (name) => {
    expect(open(name).run(3, 0, 0, 0)).toBe(52);
  });

  it.each(['args_sizes_get', 'environ_sizes_get'])('has nothing for %s', (name) => {
    const { view, run } = open(name);
    view.setUint32(0, 7, true);
    view.setUint32(4, 7, true);
    expect([run(0, 4), view.getUint32(0, true), view.getUint32(4, true)]).toEqual([0, 0, 0]);
  });

  it('shows one time for ever', () => {
    const { view, run } = open('clock_time_get');
    expect(run(0, 0n, 8)).toBe(0);
    expect(view.getBigUint64(8, true)).toBe(1_000_000_000_000_000_000n);
  });

  it('counts on its other clock', () => {
    const { view, run } = open('clock_time_get');
    run(1, 0n, 0);
    run(1, 0n, 8);
    expect(view.getBigUint64(8, true)).toBeGreaterThanOrEqual(view.getBigUint64(0, true));
  });

  it('gives random bytes, and only those asked for', () => {
    const { view, run } = open('random_get');
    expect(run(8, 32)).toBe(0);
    expect(view.getBigUint64(8, true)).not.toBe(0n);
    expect([view.getBigUint64(0, true), view.getBigUint64(40, true)]).toEqual([0n, 0n]);
  });

  it('keeps what is written, and tells how much', () => {
    const { sandbox, view, run } = open('fd_write');
    new Uint8Array(view.buffer).set(Buffer.from('panic: no'), 100);
    [100, 7, 107, 2].forEach((value, index) => {
      view.setUint32(index * 4, value, true);
    });
    expect(run(2, 0, 2, 64)).toBe(0);
    expect([view.getUint32(64, true), sandbox.complaint()]).toEqual([9, 'panic: no']);
  });

  it('turns an exit into an error', () => {
    expect(() => open('proc_exit').run(2)).toThrow('the program ended with code 2');
  });

  it('does not run before its memory is attached', () => {
    const sandbox = makeSandbox(importing(['clock_time_get']));
    const run = sandbox.imports['wasi_snapshot_preview1']?.['clock_time_get'];
    expect(() => (typeof run === 'function' ? run(0, 0n, 0) : undefined)).toThrow('before its memory');
  });
});
