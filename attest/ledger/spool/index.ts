// SPDX-License-Identifier: Apache-2.0
// Where records wait that the ledger cannot take now: signed, on disk, in order; and how they get into it, none twice.
export { openSpool, type SpoolEvent, type SpoolingRecorder, type SpoolOptions } from './spool.ts';
