// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path';
import { openFileRows, type Rows } from '../../attest/index.ts';
import { openPostgresRows } from '../../attest/ledger/postgres/index.ts';
import type { Project } from '../../engine/context/project.ts';
import { openYamlReader } from '../../engine/toolchain/yaml.ts';
import type { Args, Flags } from '../args.ts';
import { UsageError } from '../exit.ts';
import { findInstallation } from '../installation.ts';
import { findProject, stateOf } from '../loading/project.ts';

/** A Project and the folder it is in. */
export type Found = { readonly project: Project; readonly directory: string } | undefined;

/** Where a ledger is: in a folder, or in PostgreSQL with its key in that folder. */
export interface LedgerPlace {
  readonly state: string;
  readonly url?: string;
  /** Where records wait that it cannot commit; absent: then they are refused. */
  readonly spool?: string;
}

/** The database of a ledger that several servers write to. */
export const POSTGRES_FLAG: Flags = {
  ledger: {
    value: 'URL',
    help: "postgres://… of a ledger that several servers share (default the Project's ledger.url, or the state folder)",
  },
};

/** Where the ledger is, by the flags and the Project. @throws {UsageError} where the address is not one of PostgreSQL */
export function ledgerPlace(args: Args, found: Found): LedgerPlace {
  const ledger = found?.project.ledger;
  const state = stateOf(args.text('state'), found);
  const url = args.text('ledger') ?? ledger?.url;
  // The address itself is not shown: it may hold a password.
  if (url !== undefined && !/^postgres(?:ql)?:\/\//.test(url))
    throw new UsageError('the address of the ledger is not one of PostgreSQL', 'it begins with postgres://');
  return {
    state,
    ...(url === undefined ? {} : { url }),
    ...(ledger?.onFailure !== 'spool' || found === undefined
      ? {}
      : { spool: ledger.spool === undefined ? state : join(resolve(found.directory), ledger.spool) }),
  };
}

/** Finds the ledger; the Project is read only where something of it is wanted: no folder is stated, or a flag names the Project. */
export function findLedger(args: Args): { readonly place: LedgerPlace; readonly found: Found } {
  const found =
    args.text('state') === undefined || args.has('project')
      ? findProject(args.text('project'), openYamlReader(findInstallation().toolchain))
      : undefined;
  return { place: ledgerPlace(args, found), found };
}

/** Opens the rows of a ledger for reading. Rejects with {AttestError} LEDGER_UNAVAILABLE | LEDGER_CORRUPT */
export async function openRows({ state, url }: LedgerPlace): Promise<Rows> {
  return url === undefined ? openFileRows(state) : openPostgresRows(url);
}
