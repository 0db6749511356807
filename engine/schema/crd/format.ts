// SPDX-License-Identifier: Apache-2.0
import { isIPv4, isIPv6 } from 'node:net';

/** Whether a text is of a format. */
type Format = (text: string) => boolean;

const matches =
  (pattern: RegExp): Format =>
  (text) =>
    pattern.test(text);

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:.[0-9]+)?(?:z|[+-]\d{2}:\d{2})$/;

function isDate(text: string): boolean {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || month < 1 || month > 12) return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days;
}

/** What stands behind a second `t` is not looked at there either. */
function isDateTime(text: string): boolean {
  const [date = '', time = ''] = text.toLowerCase().split('t');
  return isDate(date) && TIME.test(time);
}

const GO_DURATION = /^[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/;
const UNIT = /^(?:ns|nano.*|us|\u00b5s|micro.*|ms|milli.*|s|sec.*|m|min.*|h|hr|hour.*|d|day.*|w|wk|week.*)$/i;
const INT64_MAX = 2n ** 63n - 1n;

/** As Go reads it, or with a number and a unit somewhere in it: `5 minutes`. */
function isDuration(text: string): boolean {
  if (GO_DURATION.test(text) && !/\d{19}/.test(text)) return true;
  const parts = [...text.matchAll(/(\d+)\s*([A-Za-z\u00b5]+)/g)];
  return (
    parts.every(([, count = '']) => count.length < 20 && BigInt(count) <= INT64_MAX) &&
    parts.some(([, , unit = '']) => UNIT.test(unit))
  );
}

/** With the zeros in front that Go once allowed; an IPv4 address inside one of IPv6 counts as well. */
function isIpv4(text: string): boolean {
  if (text.includes(':')) return text.includes('.') && isAddress6(text);
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d+$/.test(part) && Number(part) <= 255);
}

/** Without a zone. */
const isAddress6: Format = (text) => isIPv6(text) && !text.includes('%');

function isCidr(text: string): boolean {
  const [, address = '', prefix = ''] = /^([^/]+)\/(\d{1,9})$/.exec(text) ?? [];
  if (isAddress6(address)) return Number(prefix) <= 128;
  return (isIPv4(address) || isIpv4(address)) && Number(prefix) <= 32;
}

const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const shortName = matches(new RegExp(`^${LABEL}$`));
const longName = matches(new RegExp(`^${LABEL}(?:\\.${LABEL})*$`));
const uuid = (version: string, variant: string): Format =>
  matches(
    new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, 'i'),
  );

/**
 * The formats that are checked, as the API server checks them; a name may be written with dashes or without. Those left out are
 * left to it, as are numbers' formats, which it does not check.
 * @see k8s.io/apiextensions-apiserver pkg/apiserver/validation/formats.go, k8s.io/kube-openapi pkg/validation/strfmt
 */
const FORMATS: ReadonlyMap<string, Format> = new Map([
  ['date', isDate],
  ['datetime', isDateTime],
  ['duration', isDuration],
  ['uuid', uuid('[0-9a-f]', '[0-9a-f]')],
  ['uuid3', uuid('3', '[0-9a-f]')],
  ['uuid4', uuid('4', '[89ab]')],
  ['uuid5', uuid('5', '[89ab]')],
  ['byte', matches(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/)],
  ['ipv4', isIpv4],
  ['ipv6', isAddress6],
  ['cidr', isCidr],
  ['k8sshortname', (text) => text.length <= 63 && shortName(text)],
  ['k8slongname', (text) => text.length <= 253 && longName(text)],
]);

/** The format of that name; undefined for one that is not checked. */
export const formatOf = (name: unknown): Format | undefined =>
  typeof name === 'string' ? FORMATS.get(name.replaceAll('-', '')) : undefined;
