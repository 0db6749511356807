// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { type ProgramManifest, readArtefact } from '../../../engine/toolchain/artefact.ts';
import { loadProgram } from '../../../engine/toolchain/program.ts';
import { programNames, sourceDigest } from '../../../scripts/wasm.ts';
import { expectThrown } from '../../expect.ts';

const TOOLCHAIN = join(import.meta.dirname, '../../../engine/toolchain');
const BUILT = join(TOOLCHAIN, 'built');
const folder = mkdtempSync(join(tmpdir(), 'countersign-artefact-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder with this module as the program `yaml`, and a manifest that says `said` of it. */
function place(wasm: Uint8Array, said: Partial<ProgramManifest> = {}): string {
  const wasmDigest = createHash('sha256').update(wasm).digest('hex');
  writeFileSync(join(folder, 'yaml.wasm.zst'), zstdCompressSync(wasm));
  writeFileSync(join(folder, 'yaml.json'), JSON.stringify({ wasmDigest, size: wasm.length, ...said }));
  return folder;
}

/** The same with a file of it written over. */
function placeBroken(file: string, content: string | Uint8Array): string {
  place(EMPTY);
  writeFileSync(join(folder, file), content);
  return folder;
}

/** `(module)`: magic and version. */
const EMPTY = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

describe('an artefact', () => {
  it('is read when it is what its manifest names', () => {
    expect(Buffer.from(readArtefact(place(EMPTY), 'yaml'))).toEqual(Buffer.from(EMPTY));
  });

  it.each([
    ['of another digest', () => place(EMPTY, { wasmDigest: '0'.repeat(64) })],
    ['larger than it says', () => place(EMPTY, { size: 4 })],
    ['without a digest', () => placeBroken('yaml.json', '{}')],
    ['with a broken manifest', () => placeBroken('yaml.json', '{')],
    ['with a null manifest', () => placeBroken('yaml.json', 'null')],
    ['not compressed', () => placeBroken('yaml.wasm.zst', EMPTY)],
  ])('is refused %s', (_, prepare) => {
    const message = 'the program "yaml" is not the one its manifest names';
    expectThrown(() => readArtefact(prepare(), 'yaml'), EngineError, 'TOOLCHAIN_DIGEST', message);
  });

  it('is refused with any byte changed', () => {
    cpSync(join(BUILT, 'yaml.json'), join(folder, 'yaml.json'));
    const packed = readFileSync(join(BUILT, 'yaml.wasm.zst'));
    packed[packed.length >> 1] = (packed[packed.length >> 1] ?? 0) ^ 1;
    writeFileSync(join(folder, 'yaml.wasm.zst'), packed);
    expectThrown(() => readArtefact(folder, 'yaml'), EngineError, 'TOOLCHAIN_DIGEST');
  });

  it('that is not there is no answer', () => {
    expectThrown(() => readArtefact(join(folder, 'nowhere'), 'rego'), EngineError, 'TOOLCHAIN_FAILED');
  });
});

describe('a program', () => {
  it('that does not speak the protocol is no answer', () => {
    const program = loadProgram(place(EMPTY), 'yaml');
    const message = 'the program "yaml" failed';
    expectThrown(() => program.call(new Uint8Array(1)), EngineError, 'TOOLCHAIN_FAILED', message);
  });
});

describe.each(programNames())('the committed program %s', (name) => {
  const manifest: ProgramManifest = JSON.parse(readFileSync(join(BUILT, `${name}.json`), 'utf8'));
  const program = join(TOOLCHAIN, 'programs', name);

  it('was built from the committed sources', () => {
    expect(manifest.sourceDigest).toBe(sourceDigest(program));
  });

  it('has the modules and the Go that go.mod names', () => {
    const text = readFileSync(join(program, 'go.mod'), 'utf8');
    expect(text).toContain(`\ntoolchain ${manifest.go}\n`);
    for (const { path, version } of manifest.modules) expect(text).toContain(`${path} ${version}`);
  });
});
