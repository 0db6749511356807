// SPDX-License-Identifier: Apache-2.0

/** As Go's parser reads RFC 3339: the hour may have one digit, and a fraction may follow a comma. */
const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;
const MICROSECONDS = 6;
/** Go's zero time, which Kubernetes writes as null. */
const ZERO = '0001-01-01T00:00:00';

/**
 * The JSON text of a time as Kubernetes writes it: UTC, whole seconds, or microseconds for a `microTime`. Undefined where it is none.
 * @see https://www.rfc-editor.org/rfc/rfc3339  §5.6
 */
export function canonicalTime(text: string, isMicro: boolean): string | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const fraction = match[7] ?? '';
  const [zoneHour, zoneMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
  const isTime = hour < 24 && minute < 60 && second < 60 && zoneHour <= 24 && zoneMinute <= 60;
  if (!isDate || !isTime || (isMicro && fraction.length !== MICROSECONDS)) return undefined;
  const offset = (zoneHour * 60 + zoneMinute) * (match[8] === '-' ? -1 : 1);
  const utc = new Date(0);
  utc.setUTCFullYear(year, month - 1, day);
  utc.setUTCHours(hour, minute - offset, second);
  // Go writes years of four digits where it can; only an offset brings others about.
  const seconds = utc.toISOString().slice(0, -'.000Z'.length).replace(/^-00/, '-').replace(/^\+0/, '');
  const isZero = seconds === ZERO && /^0*$/.test(fraction);
  return isZero ? 'null' : `"${seconds}${isMicro ? `.${fraction}` : ''}Z"`;
}

function daysIn(year: number, month: number): number {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
}
