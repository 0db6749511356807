// SPDX-License-Identifier: Apache-2.0

/** Flags, width and precision of one verb. @see https://pkg.go.dev/fmt */
export interface Directive {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  /** `%+v`, `%#v`: with `v` these two mean something else. */
  plusV: boolean;
  sharpV: boolean;
  width: number | undefined;
  precision: number | undefined;
}

export function newDirective(): Directive {
  return {
    minus: false,
    plus: false,
    sharp: false,
    space: false,
    zero: false,
    plusV: false,
    sharpV: false,
    width: undefined,
    precision: undefined,
  };
}

/** `v` has its own meaning of plus and sharp. */
export function prepareForV(directive: Directive): void {
  directive.plusV = directive.plus;
  directive.sharpV = directive.sharp;
  directive.plus = false;
  directive.sharp = false;
}

const LONG = /[^\0-\x7f]/;

/** Pads to the width, counted in code points. Go pads with zeros on the left even what is no number. */
export function pad(text: string, directive: Directive, zero = directive.zero): string {
  const { width } = directive;
  if (width === undefined) return text;
  const missing = width - (LONG.test(text) ? [...text].length : text.length);
  if (missing <= 0) return text;
  if (directive.minus) return text + ' '.repeat(missing);
  return (zero ? '0' : ' ').repeat(missing) + text;
}
