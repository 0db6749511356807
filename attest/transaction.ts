// SPDX-License-Identifier: Apache-2.0
import type { DatabaseSync } from 'node:sqlite';

/**
 * Does all of it or nothing, as the one writer of the file (`BEGIN`: as one who only reads); what `work` throws is thrown once nothing
 * of it is left.
 */
export function inTransaction<T>(
  database: DatabaseSync,
  work: () => T,
  begin: 'BEGIN' | 'BEGIN IMMEDIATE' = 'BEGIN IMMEDIATE',
): T {
  database.exec(begin);
  try {
    const value = work();
    database.exec('COMMIT');
    return value;
  } catch (error) {
    // A full disk or an I/O error has often rolled back already.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
