// SPDX-License-Identifier: Apache-2.0
// Builds the Go programs of engine/toolchain: `npm run wasm [-- NAME…]`. With --check it builds them again elsewhere and
// compares with what is committed: exit 1 if anything differs, 77 where there is no Go (1 with CI set).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';

const ROOT = resolve(import.meta.dirname, '..');
const PROGRAMS = join(ROOT, 'engine/toolchain/programs');
const BUILT = join(ROOT, 'engine/toolchain/built');
const SKIPPED = 77;

interface Manifest {
  readonly name: string;
  readonly go: string;
  readonly target: string;
  readonly modules: readonly { readonly path: string; readonly version: string }[];
  readonly sourceDigest: string;
  readonly wasmDigest: string;
  readonly size: number;
}

interface Build {
  readonly manifest: Manifest;
  readonly wasm: Uint8Array;
}

/** Go's environment: nothing of the caller's may change the bytes, so its settings are cleared and its version pinned. */
export function goEnvironment(program: string): Record<string, string | undefined> {
  return {
    ...process.env,
    GOOS: 'wasip1',
    GOARCH: 'wasm',
    CGO_ENABLED: '0',
    GOENV: 'off',
    GOFLAGS: '-mod=readonly',
    GOEXPERIMENT: '',
    GOWASM: '',
    GOWORK: 'off',
    GOTOOLCHAIN: pinnedGo(program),
  };
}

function pinnedGo(program: string): string {
  const pinned = /^toolchain (go\S+)$/m.exec(readFileSync(join(program, 'go.mod'), 'utf8'))?.[1];
  if (pinned === undefined) throw new Error(`${relative(ROOT, program)}/go.mod has no toolchain line`);
  return pinned;
}

function go(program: string, parameters: readonly string[]): string {
  const options = {
    cwd: program,
    env: goEnvironment(program),
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  } as const;
  return execFileSync('go', parameters, { ...options, stdio: ['ignore', 'pipe', 'inherit'] });
}

function build(name: string): Build {
  const program = join(PROGRAMS, name);
  const folder = mkdtempSync(join(tmpdir(), 'countersign-wasm-'));
  try {
    const output = join(folder, 'program.wasm');
    const flags = ['-buildmode=c-shared', '-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid='];
    go(program, ['build', ...flags, '-o', output, '.']);
    const wasm = readFileSync(output);
    return { manifest: describe(name, program, wasm), wasm };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function describe(name: string, program: string, wasm: Uint8Array): Manifest {
  return {
    name,
    go: pinnedGo(program),
    target: 'wasip1/wasm',
    modules: modulesOf(program),
    sourceDigest: sourceDigest(program),
    wasmDigest: sha256(wasm),
    size: wasm.length,
  };
}

/** The modules whose packages are in the program, which are fewer than go.mod names. */
function modulesOf(program: string): Manifest['modules'] {
  const format = '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}';
  const lines = new Set(go(program, ['list', '-deps', '-f', format, '.']).split('\n').filter(Boolean));
  return [...lines].sort().map((line) => {
    const [path = '', version = ''] = line.split(' ');
    return { path, version };
  });
}

/** SHA-256 over the lines `<sha256>  <path>` of go.mod, go.sum and every Go file, by path. */
export function sourceDigest(program: string): string {
  const paths = readdirSync(program, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^go\.(?:mod|sum)$|\.go$/.test(path))
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
  return sha256(paths.map((path) => `${sha256(readFileSync(join(program, path)))}  ${path}\n`).join(''));
}

function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex');
}

function write(built: Build): void {
  const { name } = built.manifest;
  mkdirSync(BUILT, { recursive: true });
  const params = { [constants.ZSTD_c_compressionLevel]: 22, [constants.ZSTD_c_contentSizeFlag]: 1 };
  const packed = zstdCompressSync(built.wasm, { params, pledgedSrcSize: built.wasm.length });
  writeFileSync(join(BUILT, `${name}.wasm.zst`), packed);
  writeFileSync(join(BUILT, `${name}.json`), `${JSON.stringify(built.manifest, null, 2)}\n`);
  console.log(
    `built ${name} sha256:${built.manifest.wasmDigest} ${built.wasm.length} bytes, ${packed.length} packed`,
  );
}

/** Compares raw modules, not archives: another zlib may pack the same bytes differently. */
function check(name: string): boolean {
  const committed = JSON.parse(readFileSync(join(BUILT, `${name}.json`), 'utf8'));
  const shipped = sha256(zstdDecompressSync(readFileSync(join(BUILT, `${name}.wasm.zst`))));
  const { manifest } = build(name);
  const faults = [
    ...(shipped === manifest.wasmDigest
      ? []
      : [`shipped wasm sha256:${shipped}, built sha256:${manifest.wasmDigest}`]),
    ...(JSON.stringify(committed) === JSON.stringify(manifest)
      ? []
      : [`${name}.json is not what a build writes`]),
  ];
  for (const fault of faults) console.log(`differs ${name} ${fault}`);
  if (faults.length === 0) console.log(`ok ${name} sha256:${manifest.wasmDigest}`);
  return faults.length === 0;
}

export function programNames(): readonly string[] {
  const paths = readdirSync(PROGRAMS, { recursive: true, encoding: 'utf8' });
  return paths
    .filter((path) => /^[^/\\]+[/\\]go\.mod$/.test(path))
    .map(dirname)
    .sort();
}

export function hasGo(): boolean {
  try {
    execFileSync('go', ['version'], { env: { ...process.env, GOTOOLCHAIN: 'local' }, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function main(parameters: readonly string[]): number {
  const asked = parameters.filter((parameter) => !parameter.startsWith('-'));
  const names = asked.length > 0 ? asked : programNames();
  if (!hasGo()) {
    console.log('skipped: go is not installed');
    return process.env['CI'] ? 1 : SKIPPED;
  }
  if (!parameters.includes('--check')) {
    for (const name of names) write(build(name));
    return 0;
  }
  return names.map(check).every(Boolean) ? 0 : 1;
}

if (import.meta.main) process.exitCode = main(process.argv.slice(2));
