// SPDX-License-Identifier: Apache-2.0
import { AttestError, type Reader, type Row } from '../../../attest/index.ts';
import { summaryOf } from '../../../engine/record/summary.ts';
import type { Args } from '../../args.ts';
import { UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { withSearch } from './place.ts';

/** The one positional of a verb that is about one record: its index in the ledger, or the id of its decision. @throws {UsageError} */
export function nameOf(args: Args, verb: string): string {
  const [name, more] = args.positionals;
  if (name === undefined || more !== undefined)
    throw new UsageError('one record is wanted', `countersign ${verb} INDEX, or the id of its decision`);
  return name;
}

/**
 * The row of a record that is named by its index or its id.
 * Rejects with {AttestError} RECORD_UNKNOWN, or {UsageError} where several records state that id: anybody who may sign can.
 */
export async function rowNamed(
  name: string,
  { reader, state, io }: { readonly reader: Reader; readonly state: string; readonly io: Io },
): Promise<Row> {
  if (/^\d{1,15}$/.test(name)) {
    const [row] = await reader.rows.entries(Number(name), Number(name) + 1);
    return row ?? unknown(`there is no entry ${name}`);
  }
  const terms = [[{ name: 'id', value: name }]];
  const { rows } = await withSearch({ reader, state, io }, (search) => search.page({ terms, limit: 10 }));
  const [row, second] = rows.filter(({ payload }) => summaryOf(payload).id === name);
  if (second !== undefined)
    throw new UsageError(
      `several records have the id ${JSON.stringify(name)}`,
      `name one by its index: ${rows.map(({ number }) => number).join(', ')}`,
    );
  return row ?? unknown(`no record has the id ${JSON.stringify(name)}`);
}

function unknown(message: string): never {
  throw new AttestError('RECORD_UNKNOWN', message, { hint: 'countersign records list shows what there is' });
}
