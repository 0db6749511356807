// SPDX-License-Identifier: Apache-2.0

/** What a registry asks for with HTTP 401. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service?: string };

const PARAMETER = /([a-z_]+)="([^"\\]*)"\s*(?:,|$)\s*/giy;

/** Reads a `WWW-Authenticate` header; undefined for a scheme that is neither Basic nor Bearer. */
export function readChallenge(header: string | undefined): Challenge | undefined {
  const [, scheme = '', rest = ''] = /^\s*([A-Za-z]+)\s*(.*)$/.exec(header ?? '') ?? [];
  if (/^basic$/i.test(scheme)) return { scheme: 'basic' };
  if (!/^bearer$/i.test(scheme)) return undefined;
  const parameters = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  for (let match = PARAMETER.exec(rest); match !== null; match = PARAMETER.exec(rest))
    parameters.set((match[1] ?? '').toLowerCase(), match[2] ?? '');
  const realm = parameters.get('realm');
  const service = parameters.get('service');
  if (realm === undefined) return undefined;
  return { scheme: 'bearer', realm, ...(service === undefined ? {} : { service }) };
}
