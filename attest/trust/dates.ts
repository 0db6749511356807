// SPDX-License-Identifier: Apache-2.0

/** Makes the error of the file that has the date. */
export type Fault = (message: string) => Error;

/**
 * The schema has seen the form; this refuses the thirtieth of February, which a parser would take for a day in March.
 * @throws what `fault` makes
 */
export function checkDate(what: string, time: string | undefined, fault: Fault): void {
  if (time === undefined) return;
  const parsed = Date.parse(time);
  const isDate = Number.isFinite(parsed) && new Date(parsed).toISOString().slice(0, 19) === time.slice(0, 19);
  if (!isDate) throw fault(`${what} has ${JSON.stringify(time)}, which is no date`);
}

/** @throws what `fault` makes where `end` is before `start` */
export function checkOrder(
  what: string,
  start: string | undefined,
  end: string | undefined,
  fault: Fault,
): void {
  if (start !== undefined && end !== undefined && Date.parse(end) < Date.parse(start))
    throw fault(`${what} ends before it begins`);
}
