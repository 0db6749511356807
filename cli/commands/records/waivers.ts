// SPDX-License-Identifier: Apache-2.0
import { parseStrict } from '../../../attest/json.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { type Asked, countUses, listWaivers, type Uses, waivers, waiversIn } from '../people/waivers.ts';
import { LEDGER_FLAGS, withReader, withSearch } from './place.ts';

export const recordsWaivers: Verb = {
  name: 'records waivers',
  summary: 'Lists the waivers of an environment with how often the records of the ledger used them.',
  positionals: '',
  details:
    'Counted is what decisions from the beginning of the oldest waiver on say of themselves, also those of serve: a waiver that none of\nthem used is unused. Otherwise as countersign waivers.',
  flags: { ...waivers.flags, ...LEDGER_FLAGS },
  run,
};

const PAGE = 1_000;

async function run(args: Args, io: Io): Promise<ExitCode> {
  if (args.positionals.length > 0)
    throw new UsageError(
      `unexpected ${JSON.stringify(args.positionals[0])}`,
      'countersign waivers takes Decisions; this verb reads the ledger',
    );
  return listWaivers(args, io, (asked) => usesInLedger(asked, args, io));
}

/** Nothing that was decided before a waiver was to begin, whenever it was approved, can have used it. */
async function usesInLedger(asked: readonly Asked[], args: Args, io: Io): Promise<Uses> {
  if (asked.length === 0) return new Map();
  const from = Math.min(...asked.map(({ since }) => Date.parse(since)));
  const terms = [[{ name: 'environment', value: args.text('env') ?? '' }]];
  return withReader(args, (reader, state) =>
    withSearch({ reader, state, io }, async (search) => {
      const used: string[] = [];
      let before: number | undefined;
      do {
        const more = before === undefined ? {} : { before };
        const page = await search.page({ terms, from, limit: PAGE, ...more });
        for (const { payload } of page.rows) used.push(...usedBy(payload));
        before = page.next;
      } while (before !== undefined);
      return countUses(used);
    }),
  );
}

function usedBy(payload: Uint8Array): readonly string[] {
  const predicate: unknown = Reflect.get(Object(parseStrict(payload)?.value), 'predicate');
  return waiversIn(predicate) ?? [];
}
