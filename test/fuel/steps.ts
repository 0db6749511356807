// SPDX-License-Identifier: Apache-2.0
// Prints the steps of each evaluation of a compiled module as JSON, under whichever Node runs it:
//   node test/fuel/steps.ts MODULE
import { readFileSync } from 'node:fs';
import { loadRego } from '../../engine/rego/index.ts';
import { DATA, inputs, stepsOf } from './work.ts';

const program = loadRego(readFileSync(process.argv[2] ?? ''), { data: DATA });
process.stdout.write(JSON.stringify({ node: process.versions.node, steps: stepsOf(program, inputs()) }));
