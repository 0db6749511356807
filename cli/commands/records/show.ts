// SPDX-License-Identifier: Apache-2.0
import type { Row } from '../../../attest/index.ts';
import { summaryOf } from '../../../engine/record/summary.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import type { Io } from '../../io.ts';
import { oneLine, visible } from '../../report/text.ts';
import { nameOf, rowNamed } from './named.ts';
import { LEDGER_FLAGS, withReader } from './place.ts';

export const recordsShow: Verb = {
  name: 'records show',
  summary: 'Shows one record of the ledger: what it says, and that the log holds it.',
  positionals: 'INDEX|ID',
  details: 'Whose signature it is, and whether it may be believed, says verify record, with a trust file.',
  flags: {
    format: {
      value: 'text|json|statement',
      help: 'text (default); json: its Sigstore bundle; statement: the signed bytes',
    },
    ...LEDGER_FLAGS,
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const name = nameOf(args, 'records show');
  const format = args.text('format') ?? 'text';
  if (!['text', 'json', 'statement'].includes(format))
    throw new UsageError(`unknown format ${JSON.stringify(format)}`, 'formats are text, json, statement');
  const { row, bundle } = await withReader(args, async (reader, state) => {
    const found = await rowNamed(name, { reader, state, io });
    return { row: found, bundle: await reader.bundle(found) };
  });
  if (format === 'json') io.out(`${JSON.stringify(bundle)}\n`);
  else if (format === 'statement') io.out(`${Buffer.from(row.payload).toString('utf8')}\n`);
  else io.out(textOf(row, bundle.verificationMaterial.publicKey.hint));
  return 0;
}

function textOf(row: Row, keyId: string): string {
  const { rules, ...summary } = summaryOf(row.payload);
  const lines = [
    ['index', String(row.number)],
    ...Object.entries(summary),
    ...rules.map((rule) => ['failed', rule]),
    ['key id', keyId],
  ].map(([name = '', value = '']) => `${name.padEnd(14)} ${oneLine(value)}`);
  return `${lines.join('\n')}\n\n${visible(pretty(row.payload))}\n`;
}

/** Laid out for a reader; the signed bytes themselves are `--format statement`. */
function pretty(payload: Uint8Array): string {
  const text = Buffer.from(payload).toString('utf8');
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
