// SPDX-License-Identifier: Apache-2.0
// The program as built, with the bytecode that the build made beside it (scripts/bytecode.cjs): V8 takes it where it was made by the
// same V8 with the same flags, else compiles the text. The bytecode is a part of dist/, believed as the program's text is.
'use strict';
const { existsSync, readFileSync } = require('node:fs');
const { Script, constants } = require('node:vm');

/** V8 compares version and flags by itself, but not the machine. */
function bytecodeFile(file) {
  return `${file}.${process.versions.node}-${process.platform}-${process.arch}`;
}

/** A script whose value is a function of `require`, the file and its folder. The text is ASCII (scripts/build.ts). */
function compile(file) {
  const text = `(function (require, __filename, __dirname) {'use strict';${readFileSync(file, 'latin1')}\n})`;
  const kept = bytecodeFile(file);
  const cachedData = existsSync(kept) ? readFileSync(kept) : undefined;
  const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  return new Script(text, { filename: file, cachedData, importModuleDynamically });
}

module.exports = { bytecodeFile, compile };
