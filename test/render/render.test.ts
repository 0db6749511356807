// SPDX-License-Identifier: Apache-2.0
// What is rendered is, byte for byte, what the real tools printed for the same charts and folders (`npm run test:render` makes `out` of
// each case with them, and holds all three together where Go is present).
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { parseVerb } from '../../cli/args.ts';
import { joined, render } from '../../cli/commands/render.ts';
import { readInputs } from '../../cli/inputs/render.ts';
import { findInstallation } from '../../cli/installation.ts';
import { openRenderer } from '../../engine/render/index.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import { worldOf } from '../cli/world.ts';
import { ourArguments, renderCases } from './cases.ts';

const cases = renderCases();
const installation = findInstallation();
const reader = openYamlReader(installation.toolchain);
const renderer = openRenderer({ toolchain: installation.toolchain, yaml: reader, now: new Date() });
afterAll(() => renderer.close());

describe('rendered streams', () => {
  it('are those of at least thirty cases, of both kinds', () => {
    expect(cases.length).toBeGreaterThanOrEqual(30);
    expect(new Set(cases.map(({ tool }) => tool))).toEqual(new Set(['helm', 'kustomize']));
  });

  it.each(cases.map((one) => [one.name, one] as const))(
    '%s',
    async (_, one) => {
      const args = parseVerb(render, ourArguments(one).slice(1));
      const { sources } = await readInputs(args, worldOf(), {
        installation,
        reader,
        environment: undefined,
        renderer,
      });
      expect(joined(sources)).toBe(readFileSync(join(one.folder, 'out'), 'utf8'));
      expect(readdirSync(one.folder).sort()).toEqual(['case.json', 'in', 'out']);
    },
    60_000,
  );
});
