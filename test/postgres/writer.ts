// SPDX-License-Identifier: Apache-2.0
// A process of its own that appends to a ledger in PostgreSQL: node writer.ts URL FOLDER ROUND COUNT CONCURRENCY. Prints `ok INDEX NAME`
// once a statement is acknowledged and `no CODE` where it was refused, and then tries the next.
import { writeSync } from 'node:fs';
import { openPostgresLedger } from '../../attest/ledger/postgres/index.ts';
import { appendTo, newSigner, statementBytes } from '../attest/fixture.ts';

const [url = '', directory = '', round = '', count = '0', concurrency = '1'] = process.argv.slice(2);
const ledger = await openPostgresLedger({ url, directory, create: true, now: () => new Date() });
const signer = newSigner();
let started = 0;

async function lane(): Promise<void> {
  while (started < Number(count)) {
    const name = `${round}-${started++}`;
    try {
      const bundle = await appendTo(ledger, signer, statementBytes({ predicate: { name } }));
      writeSync(1, `ok ${bundle.verificationMaterial.tlogEntries[0]?.logIndex} ${name}\n`);
    } catch (error) {
      writeSync(1, `no ${Reflect.get(Object(error), 'code')}\n`);
      await new Promise((wake) => setTimeout(wake, 100));
    }
  }
}

await Promise.all(Array.from({ length: Number(concurrency) }, lane));
await ledger.close();
