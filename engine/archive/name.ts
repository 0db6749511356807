// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import type { ArchiveLimits } from './limits.ts';

/** A member that an archive may not have. */
export const forbidden = (archive: string, member: string, why: string): EngineError =>
  new EngineError(
    'BUNDLE_ENTRY',
    `archive ${JSON.stringify(archive)} holds ${JSON.stringify(member)}: ${why}`,
    {
      hint: 'a bundle holds plain files and folders with relative paths, each once',
    },
  );

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * The path of a member below the root of its archive: segments joined by `/`, without `.` and `..`. One leading slash is OPA's own
 * spelling of the root (`opa build` writes `/data.json`) and means nothing here, where no file is ever written; `./` is tar's.
 * @throws {EngineError} BUNDLE_ENTRY
 */
export function memberPath(archive: string, stated: string, limits: ArchiveLimits): string {
  const fail = (why: string): never => {
    throw forbidden(archive, stated, why);
  };
  if (Buffer.byteLength(stated) > limits.maxNameBytes)
    fail(`its path has more than ${limits.maxNameBytes} bytes`);
  if (CONTROL.test(stated) || !stated.isWellFormed()) fail('its path has characters that no path needs');
  if (stated.includes('\\')) fail('its path has a backslash');
  if (/^[A-Za-z]:/.test(stated)) fail('its path is absolute');
  const path = stated.replace(/^(?:\.\/|\/)/, '').replace(/\/$/, '');
  if (path.startsWith('/')) fail('its path is absolute');
  if (path === '' || path === '.') return '';
  for (const segment of path.split('/')) {
    if (segment === '..') fail('its path leaves the archive');
    if (segment === '' || segment === '.') fail('its path has an empty part');
  }
  return path;
}
