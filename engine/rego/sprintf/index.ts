// SPDX-License-Identifier: Apache-2.0
// Go's fmt.Sprintf over Rego values, exact. sprintf.ts walks the format as Go does; argument.ts says what a value is to Go;
// integer, float (with decimal) and text write one value each under a directive's flags, width and precision; quote.ts with
// printable.ts are strconv.Quote of the Go that builds OPA, independent of the Unicode tables of this machine.
export { sprintf } from './sprintf.ts';
