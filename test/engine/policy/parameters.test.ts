// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../engine/error.ts';
import { checkParameters } from '../../../engine/policy/parameters.ts';
import type { Rule } from '../../../engine/policy/rule.ts';
import { expectThrown, thrownBy } from '../../expect.ts';

const rule = (code: string, parameters?: unknown): Rule => ({
  code,
  style: 'native',
  title: code,
  severity: 'low',
  controls: [],
  ...(parameters === undefined ? {} : { parameters }),
});
const REGISTRIES = {
  type: 'object',
  required: ['registries'],
  additionalProperties: false,
  properties: { registries: { type: 'array', minItems: 1, items: { type: 'string' } } },
};
const RULES = [rule('images.registry', REGISTRIES), rule('pod.privileged')];

function problems(rules: readonly Rule[], parameters: Record<string, unknown>): readonly string[] {
  try {
    checkParameters(rules, parameters, true);
    return [];
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    expect(error.code).toBe('POLICY_PARAMETERS');
    return error.problems.map(({ message }) => message);
  }
}

describe('parameters', () => {
  it('that fit are taken', () => {
    expect(problems(RULES, { 'images.registry': { registries: ['r.example'] } })).toEqual([]);
    expect(problems([rule('pod.privileged')], {})).toEqual([]);
  });

  it('that are missing are an error: an unset list of registries must not be every registry', () => {
    expect(problems(RULES, {})).toEqual(['rule "images.registry" needs parameters and has none']);
  });

  it.each([
    [true, 'give them with --parameters FILE: {"<rule>": {…}}'],
    [
      false,
      'set them in the Project, under parameters of the pack or of the policies that the rule is in: {"<rule>": {…}}',
    ],
  ])('that are missing are set where they have an effect (flags: %s)', (takesFlags, hint) => {
    expect(thrownBy(() => checkParameters(RULES, {}, takesFlags))).toMatchObject({ hint });
  });

  it.each<[string, unknown, readonly string[]]>([
    ['null', null, ['images.registry: /: must be object']],
    ['an empty object', {}, ["images.registry: /: must have required property 'registries'"]],
    ['an empty list', { registries: [] }, ['images.registry: /registries: must NOT have fewer than 1 items']],
    [
      'more than one fault',
      { registries: [1], more: true },
      ['images.registry: /more: unknown key "more"', 'images.registry: /registries/0: must be string'],
    ],
  ])('that are %s do not fit', (_, value, expected) => {
    expect(problems(RULES, { 'images.registry': value })).toEqual(expected);
  });

  it('of no rule, or of one that takes none, are errors: a misspelt code would leave a rule unset', () => {
    const given = { 'images.registry': { registries: ['a'] } };
    expect(problems(RULES, { ...given, 'image.registry': {}, 'pod.privileged': {} })).toEqual([
      'no loaded rule "image.registry" takes parameters',
      'no loaded rule "pod.privileged" takes parameters',
    ]);
  });

  it('whose schema is none are a fault of the rule, never left unchecked', () => {
    for (const schema of [
      'text',
      true,
      7,
      null,
      [],
      { type: 7 },
      { $ref: 'https://example.org/x' },
      { pattern: '(' },
    ])
      expectThrown(
        () => checkParameters([{ ...rule('a.b'), parameters: schema }], { 'a.b': {} }, true),
        EngineError,
        'POLICY_METADATA',
      );
  });
});
