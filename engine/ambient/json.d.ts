// SPDX-License-Identifier: Apache-2.0
// What Node.js has and the library of TypeScript does not know yet: https://github.com/tc39/proposal-json-parse-with-source

interface JSON {
  /** A value that `JSON.stringify` writes as this text; the text is a JSON number, string, boolean or null. */
  rawJSON(text: string): object;
}
