// SPDX-License-Identifier: Apache-2.0
// A process of its own that appends to a ledger and prints the index of each record once it is acknowledged:
// node appender.ts FOLDER COUNT CONCURRENCY (COUNT 0: until killed).
import { writeSync } from 'node:fs';
import { appendTo, newSigner, open, statementBytes } from '../fixture.ts';

const [directory = '', count = '0', concurrency = '1'] = process.argv.slice(2);
const ledger = open(directory);
const signer = newSigner();
let started = 0;

async function lane(): Promise<void> {
  while (Number(count) === 0 || started < Number(count)) {
    const statement = statementBytes({ predicate: { process: process.pid, number: started++ } });
    const bundle = await appendTo(ledger, signer, statement);
    writeSync(1, `${bundle.verificationMaterial.tlogEntries[0]?.logIndex}\n`);
  }
}

await Promise.all(Array.from({ length: Number(concurrency) }, lane));
await ledger.close();
