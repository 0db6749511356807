// SPDX-License-Identifier: Apache-2.0
// The program as built, with the bytecode that the build made beside it (scripts/bytecode.cjs): V8 takes it where it was made by the
// same V8 with the same flags, else compiles the text. The bytecode is a part of dist/, believed as the program's text is; it names the
// text it was made from, as V8 itself compares nothing but the length.
'use strict';
const { hash } = require('node:crypto');
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const { Script, constants } = require('node:vm');

/** V8 compares version and flags by itself, but not the machine. */
function bytecodeFile(file) {
  return `${file}.${process.versions.node}-${process.platform}-${process.arch}`;
}

const DIGEST_BYTES = 32;

/** What the build writes: the digest of the text, then what V8 compiled of it. */
function kept(text, bytecode) {
  return Buffer.concat([digestOf(text), bytecode]);
}

/** The bytecode of exactly this text, or undefined. */
function bytecodeOf(file, text) {
  const name = bytecodeFile(file);
  if (!existsSync(name)) return undefined;
  const bytes = readFileSync(name);
  const isOfText = digestOf(text).equals(bytes.subarray(0, DIGEST_BYTES));
  return isOfText ? bytes.subarray(DIGEST_BYTES) : undefined;
}

const digestOf = (text) => hash('sha256', text, 'buffer');

/** A script whose value is a function of `require`, the file and its folder. The text is ASCII (scripts/build.ts). */
function compile(file) {
  const text = readFileSync(file, 'latin1');
  const cachedData = bytecodeOf(file, text);
  const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  const whole = `(function (require, __filename, __dirname) {'use strict';${text}\n})`;
  return new Script(whole, { filename: file, cachedData, importModuleDynamically });
}

/** For the build: runs nothing, writes the bytecode of what `script` has run of a file. */
function keepBytecode(file, script) {
  writeFileSync(bytecodeFile(file), kept(readFileSync(file, 'latin1'), script.createCachedData()));
}

module.exports = { bytecodeFile, compile, keepBytecode };
