// SPDX-License-Identifier: Apache-2.0
import type { YamlFault } from '../../toolchain/yaml.ts';
import type { Region } from '../region.ts';
import { tokensOf } from '../syntax.ts';

interface Escape {
  readonly offset: number;
  readonly is: 'half' | 'pair' | 'NUL';
}

const PAIR = /^\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}/;
const HALF = /^\\(?:u|U0000)[dD][89a-fA-F][\da-fA-F]{2}/;
const NUL = /^\\(?:0|x00|u0000|U00000000)/;
const ESCAPE_LONGEST = 12;

/** The escapes of JSON and YAML in double-quoted texts that stand for half a character, for one in two parts, or for NUL. */
function* escapesIn(text: string): Generator<Escape> {
  for (const { type, offset, text: token } of tokensOf(text)) {
    if (type !== 'double-quoted-scalar') continue;
    for (let at = token.indexOf('\\'); at >= 0; at = token.indexOf('\\', at)) {
      const rest = token.slice(at, at + ESCAPE_LONGEST);
      const pair = PAIR.exec(rest)?.[0];
      if (pair !== undefined) yield { offset: offset + at, is: 'pair' };
      else if (HALF.test(rest)) yield { offset: offset + at, is: 'half' };
      else if (NUL.test(rest)) yield { offset: offset + at, is: 'NUL' };
      at += pair?.length ?? 2;
    }
  }
}

function firstOf(text: string, is: Escape['is']): number | undefined {
  for (const found of escapesIn(text)) if (found.is === is) return found.offset;
  return undefined;
}

/** Where a text holds NUL or half a surrogate pair, for which the reader of JSON would put U+FFFD. */
export function placeOfEscape(fault: YamlFault, region: Region): YamlFault {
  const isNul = fault.message.includes('NUL');
  const offset = firstOf(region.text, isNul ? 'NUL' : 'half');
  const hint = isNul ? 'leave it out: no text of Kubernetes holds one' : ITSELF;
  return { ...fault, hint, ...(offset === undefined ? {} : region.place(offset)) };
}

/** The reader of YAML refuses every surrogate: one alone stands for nothing, and a pair is JSON's writing. */
export function refineSurrogate(fault: YamlFault, region: Region): YamlFault {
  const half = firstOf(region.text, 'half');
  if (half !== undefined)
    return {
      ...fault,
      ...region.place(half),
      code: 'INPUT_ENCODING',
      message: 'half a surrogate pair',
      hint: ITSELF,
    };
  const pair = firstOf(region.text, 'pair');
  return pair === undefined
    ? fault
    : { ...fault, ...region.place(pair), hint: `YAML has no pairs: ${ITSELF}` };
}

const ITSELF = 'write the character itself';
