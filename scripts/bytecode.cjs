// SPDX-License-Identifier: Apache-2.0
// Writes the bytecode of dist/main.cjs beside it: runs the program once, as `check` runs it, and asks V8 for what it compiled. It is a
// part of dist/ like the program itself, made where that is made; nothing is written when the product runs.
'use strict';
const { execFileSync } = require('node:child_process');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { dirname, join } = require('node:path');
const { bytecodeFile, compile, keepBytecode } = require('../cli/compiled.cjs');

const ROOT = join(__dirname, '..');
const file = join(ROOT, 'dist', 'main.cjs');
const ARGUMENTS = ['check', '--policy', 'examples/conftest/policy', '--format', 'json', 'examples/shop'];

/** What it says of the shop is nobody's answer: only what was compiled on the way is wanted. */
function writeBytecode() {
  process.argv = [process.execPath, file, ...ARGUMENTS];
  const script = compile(file);
  process.on('exit', () => {
    keepBytecode(file, script);
    process.exitCode = 0;
  });
  script.runInThisContext()(require, file, dirname(file));
}

/** In a process of its own, once with a cache of policies that is empty, and then as most runs find it. */
function runTwice() {
  const cache = mkdtempSync(join(tmpdir(), 'countersign-build-'));
  try {
    const options = {
      cwd: ROOT,
      env: { ...process.env, XDG_CACHE_HOME: cache },
      stdio: ['ignore', 'ignore', 'inherit'],
    };
    execFileSync(process.execPath, [__filename, 'write'], options);
    rmSync(bytecodeFile(file));
    execFileSync(process.execPath, [__filename, 'write'], options);
  } finally {
    rmSync(cache, { recursive: true });
  }
}

if (process.argv[2] === 'write') writeBytecode();
else runTwice();
