// SPDX-License-Identifier: Apache-2.0
// Approvals that nobody signed: `asking` is what a forge says, `approvals_import` signs it with the key that the Project names for it.
export { approvalsImport } from './approvals_import.ts';
