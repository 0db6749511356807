// SPDX-License-Identifier: Apache-2.0
import { stringOf } from './text.ts';

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;
const MS_PER_MINUTE = 60_000;
const NS_PER_MS = 1_000_000n;

/**
 * The plain form, of years that 64 bits of nanoseconds hold.
 * @see OPA `builtinTimeParseRFC3339Nanos`
 */
export function parseRfc3339Ns([parameter]: readonly string[]): string | undefined {
  const match = RFC3339.exec(stringOf(parameter) ?? '');
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [fraction = '', sign = '+', zoneHours = '0', zoneMinutes = '0'] = match.slice(7);
  const zone = Number(zoneHours) * 60 + Number(zoneMinutes);
  const isDay =
    month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
  const isTime =
    hour < 24 && minute < 60 && second < 60 && Number(zoneHours) < 24 && Number(zoneMinutes) < 60;
  if (!isDay || !isTime || year < 1700 || year > 2200) return undefined;
  const utc = Date.UTC(year, month - 1, day, hour, minute, second);
  const ms = utc - (sign === '-' ? -zone : zone) * MS_PER_MINUTE;
  return String(BigInt(ms) * NS_PER_MS + BigInt(fraction.padEnd(9, '0')));
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 6e10],
  ['h', 3.6e12],
]);
const MAX_NS = 2n ** 63n - 1n;

/**
 * Go's units; those that OPA adds (`d`, `w`, `y`) are left to it.
 * @see Go `time.ParseDuration`, whose fractions are cut off after a double's product
 */
export function parseDurationNs([parameter]: readonly string[]): string | undefined {
  const [, sign, body = ''] = /^([-+]?)(.*)$/s.exec(stringOf(parameter) ?? '') ?? [];
  if (body === '0') return '0';
  const part = /(?=\.?\d)(\d{0,15})(?:\.(\d{0,9}))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/y;
  let total = 0n;
  for (part.lastIndex = 0; part.lastIndex < body.length || body === ''; ) {
    const [, whole = '', fraction = '', name = ''] = part.exec(body) ?? [];
    const unit = UNITS.get(name);
    if (unit === undefined) return undefined;
    const cut = Math.trunc(Number(fraction || '0') * (unit / 10 ** fraction.length));
    total += BigInt(whole || '0') * BigInt(unit) + BigInt(cut);
  }
  if (total > MAX_NS) return undefined;
  return String(sign === '-' ? -total : total);
}
