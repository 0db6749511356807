// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { EngineError } from '../../../../engine/error.ts';
import { type BuiltinServer, bind } from '../../../../engine/rego/builtins/index.ts';
import { BUILTINS } from '../../../../engine/rego/index.ts';
import { expectThrown } from '../../../expect.ts';

const server: BuiltinServer = {
  prepare: () => undefined,
  begin: () => undefined,
  call: () => ({ kind: 'undefined' }),
};
const flat = (name: string): string => `${name.replaceAll('.', '__')}_`;
const ofClass = (wanted: string): string[] =>
  [...BUILTINS].filter(([, found]) => found === wanted).map(([name]) => name);

describe('an import of a module', () => {
  it('is answered by a twin, by the server, or by what explains a native', () => {
    expect(bind('sprintf', undefined)).toMatchObject({ kind: 'twin', name: 'sprintf' });
    expect(bind('countersign.call.format_int_', undefined)).toMatchObject({
      kind: 'twin',
      name: 'format_int',
    });
    expect(bind('json.patch', server)).toEqual({ kind: 'served', name: 'json.patch', isPinned: false });
    expect(bind('countersign.call.strings__replace_n_', server)).toMatchObject({ name: 'strings.replace_n' });
    expect(bind('io.jwt.decode_verify', server)).toMatchObject({ kind: 'served', isPinned: true });
    expect(bind('countersign.error.count_', undefined)).toEqual({ kind: 'error', name: 'count' });
    expect(bind('countersign.place', undefined)).toMatchObject({ kind: 'place' });
  });

  it('reaches nothing that is refused, by any name', () => {
    const names = [...ofClass('refused'), 'nosuch', 'countersign', 'countersign.call.nosuch_'];
    const spelt = names.flatMap((name) => [
      name,
      `countersign.call.${flat(name)}`,
      `countersign.error.${flat(name)}`,
    ]);
    for (const name of spelt) expectThrown(() => bind(name, server), EngineError, 'POLICY_BUILTIN');
  });

  it('explains natives only', () => {
    for (const name of [...ofClass('served'), ...ofClass('pinned')])
      expectThrown(() => bind(`countersign.error.${flat(name)}`, server), EngineError, 'POLICY_BUILTIN');
  });

  it('is refused where only a server has it and there is none', () => {
    expectThrown(
      () => bind('json.patch', undefined),
      EngineError,
      'POLICY_BUILTIN',
      'builtin "json.patch" is not available',
    );
  });
});
