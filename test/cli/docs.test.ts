// SPDX-License-Identifier: Apache-2.0
// docs/policy-commands.md shows commands with what they print: they are run here. Figures that a machine or a build decides are left
// out of the comparison.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { countersign } from './world.ts';

const output = mkdtempSync(join(tmpdir(), 'countersign-docs-'));
afterAll(() => rmSync(output, { recursive: true, force: true }));

const page = readFileSync('docs/policy-commands.md', 'utf8');
const blocks = [
  ...page.matchAll(/^```text\n\$ (?:echo '([^']*)' \| )?countersign ([^\n]*)\n([\s\S]*?)^```$/gm),
].map(([, input, command = '', shown = '']) => ({ input, command, shown }));

const settle = (text: string): string =>
  text
    .replaceAll(output, 'policy-build')
    .replace(/sha256:[0-9a-f]{64}/g, 'sha256:N')
    .replace(/\b[\d,]+ bytes/g, 'N bytes')
    .replace(/^(evaluations|time|fuel) .*$/gm, '$1 N');

describe('the commands that the documentation shows', () => {
  it('are one for each verb, and one for its other evaluator', () => {
    const verbs = blocks.map(({ command }) => command.split(' ')[1]);
    expect(verbs).toEqual(['build', 'check', 'fmt', 'test', 'eval', 'eval', 'inspect', 'deps', 'bench']);
  });

  it.each(blocks)('countersign $command', async ({ input, command, shown }) => {
    const argv = command
      .split(' ')
      .map((argument) => argument.replace(/^'(.*)'$/, '$1').replace(/^policy-build$/, output));
    const more = argv[1] === 'bench' ? ['--duration', '20ms'] : [];
    const { out, err, exit } = await countersign([...argv, ...more], { input: `${input ?? ''}\n` });
    expect({ exit, printed: settle(out + err) }).toEqual({ exit: 0, printed: settle(shown) });
  });
});
