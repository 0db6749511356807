// SPDX-License-Identifier: Apache-2.0
import { EngineError, type Location } from '../error.ts';

/** How paths that a tool speaks of are called here. */
export type NameOf = (path: string) => string;

interface Kind {
  readonly pattern: RegExp;
  readonly code: 'RENDER_FAILED' | 'RENDER_REMOTE';
  readonly hint: string;
}

/** Failures that one can do something about, by what Helm and Kustomize say. */
const KINDS: readonly Kind[] = [
  {
    pattern: /missing in charts\//,
    code: 'RENDER_REMOTE',
    hint: 'nothing is fetched here: run helm dependency build and keep charts/ beside the chart',
  },
  {
    pattern: /charts are not installable/,
    code: 'RENDER_FAILED',
    hint: 'a library chart is rendered by the chart that depends on it: name that one',
  },
  {
    pattern: /git|https?:\/\/|URL/,
    code: 'RENDER_REMOTE',
    hint: 'nothing is fetched here: copy what it names into a folder of the repository and name that',
  },
  {
    pattern: /plugin|exec |container/,
    code: 'RENDER_FAILED',
    hint: 'no program is run here: commit what the plugin generates, and name those files as resources',
  },
];

/** Where Helm's messages name a template: `template: web/templates/a.yaml:3:4: …`, `… at (web/templates/a.yaml:3:4): …`. */
const PLACES: readonly RegExp[] = [
  /^template: ([^\s:()]+):(\d+)(?::(\d+))?: /,
  /at \(([^\s:()]+):(\d+)(?::(\d+))?\)/,
  /^YAML parse error on ([^\s:()]+)/,
];

/** The error that a tool's message is: its first line, with the others as problems, at the template that it names. */
export function renderFailure(path: string, message: string, nameOf: NameOf): EngineError {
  const [first = '', ...more] = message
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const kind = KINDS.find(({ pattern }) => pattern.test(message));
  const location = placeIn(first, nameOf) ?? { file: path, line: 1, column: 1 };
  return new EngineError(kind?.code ?? 'RENDER_FAILED', first, {
    location,
    problems: more.map((line) => ({ message: line, location })),
    ...(kind === undefined ? {} : { hint: kind.hint }),
  });
}

/** A Kustomization as a file of its folder. */
export interface KustomizationFile {
  readonly name: string;
  readonly text: string;
}

/** What Kustomize's messages quote of the Kustomization: a field that it does not know, a path that it cannot use. */
const QUOTED: readonly RegExp[] = [
  /unknown field "([^"]+)"/,
  /accumulating \w+ from '([^']+)'/,
  /'([^']+)'/,
  /"([^"]+)"/,
];
const MALFORMED = /MalformedYAMLError: yaml: (?:line (\d+): )?.* in File: (\S+)/;

/** The error that Kustomize's message is, at the file that it names, or at the line of the Kustomization that says what it quotes. */
export function kustomizeFailure(
  { path, file }: { readonly path: string; readonly file: KustomizationFile | undefined },
  message: string,
  nameOf: NameOf,
): EngineError {
  // Its lines are one sentence: it quotes what it was given.
  const sentence = message.trim().replaceAll(/\s*\n\s*/g, ' ');
  const failure = renderFailure(path, sentence, nameOf);
  const location = placeOfMalformed(sentence, nameOf) ?? (file && placeOfQuoted(sentence, file));
  if (location === undefined) return failure;
  const { code, hint } = failure;
  return new EngineError(code, sentence, { location, ...(hint === undefined ? {} : { hint }) });
}

function placeOfMalformed(message: string, nameOf: NameOf): Location | undefined {
  const [, line = '1', named] = MALFORMED.exec(message) ?? [];
  return named === undefined ? undefined : { file: nameOf(named), line: Number(line), column: 1 };
}

function placeOfQuoted(message: string, { name, text }: KustomizationFile): Location {
  const lines = text.split('\n');
  for (const pattern of QUOTED) {
    const quoted = pattern.exec(message)?.[1];
    const line = quoted === undefined ? -1 : lines.findIndex((one) => one.includes(quoted));
    if (quoted !== undefined && line >= 0)
      return { file: name, line: line + 1, column: (lines[line] ?? '').indexOf(quoted) + 1 };
  }
  return { file: name, line: 1, column: 1 };
}

/** Go's columns count bytes from 0. */
function placeIn(message: string, nameOf: NameOf): Location | undefined {
  for (const pattern of PLACES) {
    const [, file, line = '1', column = '0'] = pattern.exec(message) ?? [];
    if (file !== undefined) return { file: nameOf(file), line: Number(line), column: Number(column) + 1 };
  }
  return undefined;
}
