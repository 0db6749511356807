// SPDX-License-Identifier: Apache-2.0
import { TwinError } from '../builtins/failed.ts';
import { readTerm } from '../term.ts';
import { type Argument, argumentOf } from './argument.ts';
import { type Directive, newDirective, prepareForV } from './directive.ts';
import { formatFloat } from './float.ts';
import { formatBig, formatInteger } from './integer.ts';
import { formatString } from './text.ts';

const MAX_WIDTH = 1_000;
const GO_MAX_WIDTH = 1_000_000;
/** Characters; also what one call of the builtin may hand back. */
const MAX_OUTPUT = 1024 * 1024;

const DOT = 0x2e;
const STAR = 0x2a;
const BRACKET = 0x5b;
const FLAGS: Readonly<Record<string, 'sharp' | 'zero' | 'plus' | 'minus' | 'space'>> = {
  '#': 'sharp',
  '0': 'zero',
  '+': 'plus',
  '-': 'minus',
  ' ': 'space',
};

/**
 * OPA's `sprintf`, which is Go's `fmt.Sprintf`: Rego integers are int64 or big.Int, other numbers float64, strings strings, and
 * everything else its Rego text. What a format gets wrong is written into the result as Go does (`%!d(string=x)`).
 * @param format text of a Rego string
 * @param values text of a Rego array
 * @throws {RangeError} over a bound of width, precision, digits or output; for what shows a machine's addresses
 * @throws {TwinError} for operands of other types
 * @see https://pkg.go.dev/fmt  OPA `builtinSprintf`
 */
export function sprintf(format: string, values: string): string {
  const template = readTerm(format);
  const list = readTerm(values);
  if (template.kind !== 'string')
    throw new TwinError('eval_type_error', `operand 1 must be string but got ${template.kind}`);
  if (list.kind !== 'array')
    throw new TwinError('eval_type_error', `operand 2 must be array but got ${list.kind}`);
  return new Printer(template.value, list.items.map(argumentOf)).print();
}

/** One pass over a format. @see Go's `fmt/print.go`, `doPrintf`, whose order of checks decides what a wrong format prints */
class Printer {
  readonly #format: string;
  readonly #arguments: readonly Argument[];
  #out = '';
  #at = 0;
  #next = 0;
  /** Arguments were named by index, so that some may stay unused. */
  #isReordered = false;
  #isIndexGood = true;
  #isAfterIndex = false;

  constructor(format: string, values: readonly Argument[]) {
    this.#format = format;
    this.#arguments = values;
  }

  print(): string {
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      const end = percent < 0 ? this.#format.length : percent;
      this.#put(this.#format.slice(this.#at, end));
      this.#at = end + 1;
      if (percent >= 0) this.#directive();
    }
    this.#extra();
    return this.#out;
  }

  #put(text: string): void {
    this.#out += text;
    if (this.#out.length > MAX_OUTPUT) throw new RangeError(`the result is longer than ${MAX_OUTPUT}`);
  }

  #directive(): void {
    this.#isIndexGood = true;
    this.#isAfterIndex = false;
    const directive = newDirective();
    this.#flags(directive);
    this.#index();
    this.#width(directive);
    this.#precision(directive);
    if (!this.#isAfterIndex) this.#index();
    this.#put(this.#verb(directive));
  }

  #flags(directive: Directive): void {
    for (;;) {
      const flag = FLAGS[this.#format.charAt(this.#at)];
      if (flag === undefined) return;
      directive[flag] = true;
      this.#at++;
    }
  }

  #isNext(character: number): boolean {
    return this.#format.charCodeAt(this.#at) === character;
  }

  /** `[3]`: the next argument by number, from 1. */
  #index(): void {
    this.#isAfterIndex = false;
    if (!this.#isNext(BRACKET)) return;
    this.#isReordered = true;
    const close = this.#format.indexOf(']', this.#at);
    if (close < 0 || this.#format.length - this.#at < 3) {
      this.#at++;
      this.#isIndexGood = false;
      return;
    }
    const inside = this.#format.slice(this.#at + 1, close);
    this.#at = close + 1;
    const index = Number(inside) - 1;
    this.#isAfterIndex = /^\d{1,7}$/.test(inside);
    if (this.#isAfterIndex && index >= 0 && index < this.#arguments.length) this.#next = index;
    else this.#isIndexGood = false;
  }

  #width(directive: Directive): void {
    if (!this.#isNext(STAR)) {
      directive.width = this.#number();
      if (this.#isAfterIndex && directive.width !== undefined) this.#isIndexGood = false;
      return;
    }
    const width = this.#star();
    if (width === undefined) this.#put('%!(BADWIDTH)');
    else if (width < 0) {
      directive.minus = true;
      directive.zero = false;
    }
    directive.width = width === undefined ? undefined : bounded(Math.abs(width));
  }

  /** A point at the very end is the verb. */
  #precision(directive: Directive): void {
    if (!this.#isNext(DOT) || this.#at + 1 >= this.#format.length) return;
    this.#at++;
    if (this.#isAfterIndex) this.#isIndexGood = false;
    this.#index();
    if (!this.#isNext(STAR)) {
      directive.precision = this.#number() ?? 0;
      return;
    }
    const precision = this.#star();
    directive.precision = precision !== undefined && precision >= 0 ? bounded(precision) : undefined;
    if (directive.precision === undefined) this.#put('%!(BADPREC)');
  }

  #number(): number | undefined {
    const start = this.#at;
    while (/^\d/.test(this.#format.charAt(this.#at))) this.#at++;
    return start === this.#at ? undefined : bounded(Number(this.#format.slice(start, this.#at)));
  }

  /** A width or precision that is an argument; undefined when that is no integer. */
  #star(): number | undefined {
    this.#at++;
    this.#isAfterIndex = false;
    if (this.#next >= this.#arguments.length) return undefined;
    const argument = this.#arguments[this.#next++];
    const value = argument?.type === 'int64' ? Number(argument.value) : Number.NaN;
    return Math.abs(value) <= GO_MAX_WIDTH ? value : undefined;
  }

  #verb(directive: Directive): string {
    const code = this.#format.codePointAt(this.#at);
    if (code === undefined) return '%!(NOVERB)';
    const verb = String.fromCodePoint(code);
    this.#at += verb.length;
    const argument = this.#arguments[this.#next];
    if (verb === '%') return '%';
    if (!this.#isIndexGood) return `%!${verb}(BADINDEX)`;
    if (argument === undefined) return `%!${verb}(MISSING)`;
    if (verb === 'v' || verb === 'w') prepareForV(directive);
    this.#next++;
    return formatArgument(argument, verb, directive);
  }

  #extra(): void {
    if (this.#isReordered || this.#next >= this.#arguments.length) return;
    const rest = this.#arguments.slice(this.#next);
    this.#put(`%!(EXTRA ${rest.map((one) => typed(one, newDirective())).join(', ')})`);
  }
}

function bounded(value: number): number {
  if (value > MAX_WIDTH) throw new RangeError(`a width or precision is more than ${MAX_WIDTH}: ${value}`);
  return value;
}

function formatArgument(argument: Argument, verb: string, directive: Directive): string {
  if (verb === 'T') return formatString(argument.type, 's', directive) ?? '';
  // Go would print an address for the one, the parts of a struct for the other.
  if (argument.type === '*big.Int' && (verb === 'p' || verb === 'w'))
    throw new RangeError(`%${verb} is not for an integer of this size`);
  const text = formatTyped(argument, verb, directive);
  return text ?? `%!${verb}(${typed(argument, directive)})`;
}

function formatTyped(argument: Argument, verb: string, directive: Directive): string | undefined {
  switch (argument.type) {
    case 'string':
      return formatString(argument.value, verb, directive);
    case 'float64':
      return formatFloat(argument.value, verb, directive);
    case 'int64':
      return formatInteger(argument.value, verb, directive);
    case '*big.Int':
      return formatBig(argument.value, verb, directive);
  }
}

/** An argument with its type, as Go shows what it could not use; flags still apply. */
function typed(argument: Argument, directive: Directive): string {
  return `${argument.type}=${formatTyped(argument, 'v', directive) ?? ''}`;
}
