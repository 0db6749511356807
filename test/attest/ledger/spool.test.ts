// SPDX-License-Identifier: Apache-2.0
// A ledger that comes and goes: what was acknowledged is in it in the end, in order, once.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { AttestErrorCode } from '../../../attest/error.ts';
import {
  AttestError,
  auditLedger,
  openFileRows,
  openReader,
  openSpool,
  type Recorder,
  type SpoolEvent,
  type SpoolingRecorder,
  signStatement,
} from '../../../attest/index.ts';
import { thrownBy } from '../../expect.ts';
import { newSigner, open, statementBytes, temporaryFolders } from '../fixture.ts';

const folders = temporaryFolders();
afterAll(() => folders.removeAll());
const signer = newSigner();
const statement = (name: string): Buffer => statementBytes({ predicate: { name } });

/** What is wrong with the ledger: it refuses, or takes a record and then does not say so. */
interface Weather {
  trouble?: AttestErrorCode | 'LOST';
}

const failing = (code: AttestErrorCode): AttestError => new AttestError(code, `it is ${code}`);

/** A recorder over a ledger in this thread, in such weather. */
function recorderOver(directory: string, weather: Weather): Recorder {
  return {
    record: async (bytes) => {
      const { trouble } = weather;
      if (trouble !== undefined && trouble !== 'LOST') throw failing(trouble);
      const ledger = open(directory);
      const bundle = await ledger.append(await signStatement(bytes, signer), signer);
      await ledger.close();
      if (trouble === 'LOST') throw failing('LEDGER_UNAVAILABLE');
      return { logIndex: Number(bundle.verificationMaterial.tlogEntries[0]?.logIndex) };
    },
    close: async () => undefined,
  };
}

interface Place {
  readonly ledger: string;
  readonly spool: string;
  readonly weather: Weather;
  readonly events: SpoolEvent[];
}

function spoolOf(
  { ledger, spool, weather, events }: Place,
  more: { maxBytes?: number } = {},
): SpoolingRecorder {
  return openSpool({
    recorder: recorderOver(ledger, weather),
    signer,
    openLedger: async () => {
      if (weather.trouble !== undefined && weather.trouble !== 'LOST') throw failing(weather.trouble);
      const opened = open(ledger);
      return {
        append: async (envelope, by) => {
          const bundle = await opened.append(envelope, by);
          if (weather.trouble === 'LOST') throw failing('LEDGER_UNAVAILABLE');
          return bundle;
        },
        close: () => opened.close(),
      };
    },
    openRows: async () => openFileRows(ledger),
    directory: spool,
    size: 0,
    retryMs: 3_600_000,
    onEvent: (event) => events.push(event),
    ...more,
  });
}

const place = (): Place => {
  const base = folders.make();
  return { ledger: join(base, 'ledger'), spool: join(base, 'spool'), weather: {}, events: [] };
};

async function namesIn(ledger: string): Promise<string[]> {
  if (!existsSync(join(ledger, 'ledger.sqlite3'))) return [];
  const rows = openFileRows(ledger);
  const reader = await openReader(rows);
  expect((await auditLedger({ reader })).faults).toEqual([]);
  const entries = await rows.entries(0, await rows.size());
  await rows.close();
  return entries.map(({ payload }) => JSON.parse(Buffer.from(payload).toString()).predicate.name);
}

describe('a spool', () => {
  it('takes what the ledger cannot commit, and brings it in, in order', async () => {
    const at = place();
    const spool = spoolOf(at);
    expect(await spool.record(statement('a'))).toEqual({ logIndex: 0 });
    at.weather.trouble = 'LEDGER_FULL';
    expect(await spool.record(statement('b'))).toEqual({ spooled: 1 });
    expect(await spool.record(statement('c'))).toEqual({ spooled: 2 });
    expect(statSync(join(at.spool, 'spool.sqlite3')).mode & 0o777).toBe(0o600);
    expect(await spool.drain()).toBe(0);
    delete at.weather.trouble;
    // Behind what waits, though the ledger is there again.
    expect(await spool.record(statement('d'))).toEqual({ spooled: 3 });
    expect(spool.waiting()).toBe(3);
    expect(await spool.drain()).toBe(3);
    expect(await spool.record(statement('e'))).toEqual({ logIndex: 4 });
    await spool.close();
    expect(await namesIn(at.ledger)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(at.events).toEqual([
      { what: 'waiting', reason: 'it is LEDGER_FULL' },
      { what: 'stuck', reason: 'it is LEDGER_FULL' },
      { what: 'drained', count: 3 },
    ]);
  });

  it('keeps what waits over a restart, and drains at its end', async () => {
    const at = place();
    const first = spoolOf(at);
    at.weather.trouble = 'LEDGER_UNAVAILABLE';
    await first.record(statement('a'));
    await first.record(statement('b'));
    await first.close();
    expect(await namesIn(at.ledger)).toEqual([]);
    const second = spoolOf(at);
    expect(second.waiting()).toBe(2);
    delete at.weather.trouble;
    await second.close();
    expect(await namesIn(at.ledger)).toEqual(['a', 'b']);
  });

  it('adds nothing twice that the ledger took without saying so', async () => {
    const at = place();
    const spool = spoolOf(at);
    await spool.record(statement('a'));
    at.weather.trouble = 'LOST';
    expect(await spool.record(statement('b'))).toEqual({ spooled: 1 });
    expect(await spool.record(statement('c'))).toEqual({ spooled: 2 });
    // The ledger takes it while it is brought in, and again does not say so.
    expect(await spool.drain()).toBe(0);
    delete at.weather.trouble;
    expect(await spool.drain()).toBe(2);
    await spool.close();
    expect(await namesIn(at.ledger)).toEqual(['a', 'b', 'c']);
  });

  it.each<AttestErrorCode>(['LEDGER_CORRUPT', 'KEY_UNREADABLE', 'BUNDLE_SHAPE'])(
    'takes nothing where the ledger is %s: that is an error',
    async (code) => {
      const at = place();
      const spool = spoolOf(at);
      at.weather.trouble = code;
      await expect(spool.record(statement('a'))).rejects.toMatchObject({ code });
      expect(spool.waiting()).toBe(0);
      await spool.close();
    },
  );

  it('takes nothing more when what waits meets a damaged ledger, until that is whole again', async () => {
    const at = place();
    const spool = spoolOf(at);
    at.weather.trouble = 'LEDGER_UNAVAILABLE';
    await spool.record(statement('a'));
    at.weather.trouble = 'LEDGER_CORRUPT';
    expect([await spool.drain(), spool.damage()?.code]).toEqual([0, 'LEDGER_CORRUPT']);
    at.weather.trouble = 'LEDGER_UNAVAILABLE';
    await spool.drain();
    await expect(spool.record(statement('b'))).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
    delete at.weather.trouble;
    expect([await spool.drain(), spool.damage()]).toEqual([1, undefined]);
    await spool.record(statement('c'));
    await spool.close();
    expect(await namesIn(at.ledger)).toEqual(['a', 'c']);
  });

  it('says when it is full, and loses nothing of what it took', async () => {
    const at = place();
    const spool = spoolOf(at, { maxBytes: 100_000 });
    at.weather.trouble = 'LEDGER_UNAVAILABLE';
    let taken = 0;
    let failure: unknown;
    for (; failure === undefined && taken < 100; )
      await spool.record(statementBytes({ predicate: { name: `${taken}`, text: 'x'.repeat(5_000) } })).then(
        () => taken++,
        (error: unknown) => {
          failure = error;
        },
      );
    expect(failure).toMatchObject({ name: 'AttestError', code: 'LEDGER_FULL' });
    expect(taken).toBeGreaterThan(5);
    delete at.weather.trouble;
    await spool.close();
    expect(await namesIn(at.ledger)).toEqual(Array.from({ length: taken }, (_, index) => String(index)));
  });

  it('is one process alone', async () => {
    const at = place();
    const spool = spoolOf(at);
    expect(thrownBy(() => spoolOf(at))).toMatchObject({
      code: 'LEDGER_UNAVAILABLE',
      message: `another process has the spool in ${JSON.stringify(at.spool)}`,
    });
    await spool.close();
    await spoolOf(at).close();
  });

  it('has everything on disk when it says so, though its process is killed', async () => {
    const at = place();
    const script = `
      const { openSpool, generateKeyPair, readSigner } = await import(${JSON.stringify(join(process.cwd(), 'attest/index.ts'))});
      const { AttestError } = await import(${JSON.stringify(join(process.cwd(), 'attest/error.ts'))});
      const fail = async () => { throw new AttestError('LEDGER_UNAVAILABLE', 'gone'); };
      const spool = openSpool({ recorder: { record: fail, close: async () => {} }, signer: readSigner(generateKeyPair().privateKeyPem), openLedger: fail, openRows: fail, directory: ${JSON.stringify(at.spool)}, size: 0 });
      for (let index = 0; index < 20; index++)
        await spool.record(Buffer.from(JSON.stringify({ predicate: { name: 'k' + index } })));
      process.kill(process.pid, 'SIGKILL');`;
    const { signal } = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script],
      {
        env: { ...process.env, NODE_OPTIONS: '' },
      },
    );
    expect(signal).toBe('SIGKILL');
    const spool = spoolOf(at);
    expect(spool.waiting()).toBe(20);
    await spool.close();
    expect(await namesIn(at.ledger)).toEqual(Array.from({ length: 20 }, (_, index) => `k${index}`));
  });

  it('brings each record in once and in order, whatever the weather and however often it restarts (property)', async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.constant('record' as const) },
      { weight: 1, arbitrary: fc.constantFrom('drain', 'restart') },
      { weight: 2, arbitrary: fc.constantFrom('fine', 'LEDGER_FULL', 'LEDGER_UNAVAILABLE', 'LOST') },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const at = place();
        let spool = spoolOf(at);
        const recorded: string[] = [];
        for (const [index, what] of steps.entries()) {
          if (what === 'record') {
            await spool.record(statement(`r${index}`));
            recorded.push(`r${index}`);
          } else if (what === 'drain') await spool.drain();
          else if (what === 'restart') {
            await spool.close();
            spool = spoolOf(at);
          } else if (what === 'fine') delete at.weather.trouble;
          else if (what === 'LOST' || what === 'LEDGER_FULL' || what === 'LEDGER_UNAVAILABLE')
            at.weather.trouble = what;
        }
        delete at.weather.trouble;
        await spool.drain();
        await spool.close();
        expect(await namesIn(at.ledger)).toEqual(recorded);
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});
