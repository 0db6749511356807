// SPDX-License-Identifier: Apache-2.0

/** The world as a command sees it. stdout is the answer, stderr is the talk; tests hand in their own. */
export interface Io {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly stdin: () => Promise<Uint8Array>;
  /** Asks whoever sits at the terminal, without showing the answer; undefined where nobody does. Absent: nobody ever does. */
  readonly askPassword?: (question: string) => Promise<string | undefined>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  readonly userId: number | undefined;
  /** Bytes of memory that the process may take; absent where that is not known. */
  readonly memory?: number;
  readonly homeDirectory: string;
  readonly now: () => Date;
  /** Calls back once when the process is asked to stop (SIGTERM, SIGINT). */
  readonly onStop: (callback: () => void) => void;
}

/** Whether text on stdout may be coloured (https://no-color.org: any non-empty value says no). */
export function mayColour(io: Io): boolean {
  return io.outIsTerminal && (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb';
}
