// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type OnProgress, withProgress } from '../../../cli/report/progress.ts';
import { countersign } from '../world.ts';

const CLEAR = '\r\u001b[K';

describe('progress', () => {
  afterEach(() => void jest.useRealTimers());

  const drawn: string[] = [];
  beforeEach(() => {
    jest.useFakeTimers();
    drawn.splice(0);
  });
  const terminal = {
    err: (text: string) => void drawn.push(text),
    errIsTerminal: true,
    now: () => new Date(),
  };
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  /** Work that goes on for so long in this world of fake time. */
  const lasting = async (ms: number, io: Parameters<typeof withProgress>[0] = terminal): Promise<void> => {
    const done = withProgress(io, 'compiling', () => wait(ms));
    await jest.advanceTimersByTimeAsync(ms);
    await done;
  };

  it('says nothing of what takes less than two seconds', async () => {
    await lasting(1999);
    expect(drawn).toEqual([]);
  });

  it('says how long it takes on one line, and erases it at the end', async () => {
    await lasting(3100);
    expect(drawn).toEqual([
      `${CLEAR}compiling … 2 s`,
      `${CLEAR}compiling … 2 s`,
      `${CLEAR}compiling … 3 s`,
      CLEAR,
    ]);
  });

  it('says nothing where nobody looks, starts no timer, and hands in no callback', async () => {
    let given: OnProgress | undefined = () => undefined;
    const result = await withProgress({ ...terminal, errIsTerminal: false }, 'checking', (onProgress) => {
      given = onProgress;
      return 7;
    });
    expect([result, given, drawn, jest.getTimerCount()]).toEqual([7, undefined, [], 0]);
    await lasting(10_000, { ...terminal, errIsTerminal: false });
    expect(drawn).toEqual([]);
  });

  it('says how far it is, twice a second at most, though nothing else has a turn', async () => {
    await withProgress(terminal, 'checking', (onProgress) => {
      for (let done = 1; done <= 40; done++) {
        jest.setSystemTime(Date.now() + 100);
        onProgress?.(done, 40);
      }
    });
    expect(drawn).toEqual([
      `${CLEAR}checking … 20/40`,
      `${CLEAR}checking … 25/40`,
      `${CLEAR}checking … 30/40`,
      `${CLEAR}checking … 35/40`,
      `${CLEAR}checking … 40/40`,
      CLEAR,
    ]);
  });

  it('erases its line and stops where the work fails', async () => {
    const failed = withProgress(terminal, 'compiling', async () => {
      await wait(2500);
      throw new RangeError('no');
    });
    const outcome = failed.catch((error: unknown) => error);
    await jest.advanceTimersByTimeAsync(2500);
    expect(await outcome).toBeInstanceOf(RangeError);
    expect(drawn.at(-1)).toBe(CLEAR);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('check', () => {
  const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n';
  const argv = ['check', '-', '--policy', 'examples/conftest/policy'];
  /** A clock that goes on by three seconds each time it is read. */
  const clock = (): (() => Date) => {
    let ms = Date.parse('2026-11-24T12:00:00Z');
    return () => {
      ms += 3000;
      return new Date(ms);
    };
  };

  it('tells a terminal how many objects are done, and leaves nothing behind', async () => {
    const { err, out } = await countersign(argv, {
      input: `${POD}---\n${POD}`,
      errIsTerminal: true,
      now: clock(),
    });
    expect(err).toContain(`${CLEAR}checking objects … 1/2${CLEAR}checking objects … 2/2${CLEAR}`);
    expect(err.endsWith(CLEAR)).toBe(true);
    expect(out).not.toContain('\u001b');
  });

  it('tells nobody else', async () => {
    const { err } = await countersign(argv, { input: POD, now: clock() });
    expect(err).toBe('');
  });
});
