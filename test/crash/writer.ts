// SPDX-License-Identifier: Apache-2.0
// A process of its own that appends to a ledger and says what became of each statement:
//   node writer.ts FOLDER ROUND COUNT CONCURRENCY     COUNT 0: until it is killed
// prints `ok INDEX ROUND-NUMBER` once the ledger has acknowledged it, `no CODE` where it refused, `open CODE` where it did not open.
import { writeSync } from 'node:fs';
import { appendTo, newSigner, open, statementBytes } from '../attest/fixture.ts';

const [directory = '', round = '', count = '0', concurrency = '1'] = process.argv.slice(2);
const say = (line: string): number => writeSync(1, `${line}\n`);
const codeOf = (error: unknown): string => String(Reflect.get(Object(error), 'code') ?? error);

function openOrEnd(): ReturnType<typeof open> {
  try {
    return open(directory);
  } catch (error) {
    say(`open ${codeOf(error)}`);
    process.exit(0);
  }
}

const ledger = openOrEnd();
const signer = newSigner();
let started = 0;

async function lane(): Promise<void> {
  while (Number(count) === 0 || started < Number(count)) {
    const name = `${round}-${started++}`;
    try {
      const bundle = await appendTo(ledger, signer, statementBytes({ predicate: { name } }));
      say(`ok ${bundle.verificationMaterial.tlogEntries[0]?.logIndex} ${name}`);
    } catch (error) {
      say(`no ${codeOf(error)}`);
    }
  }
}

await Promise.all(Array.from({ length: Number(concurrency) }, lane));
await ledger.close().catch((error: unknown) => say(`close ${codeOf(error)}`));
