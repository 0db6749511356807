// SPDX-License-Identifier: Apache-2.0
// `check --server`: the job reads and renders, a server decides. check.ts is the straight line: documents and their digest here, one
// request (ask.ts), one answer (answer.ts) that is held against what was asked, then reports and exit code as of any check. What is not
// an answer to exactly this question is an error, and no error is an allow. Nothing of the job's Project is sent: it renders the
// charts, and its keys may only refuse the record. The other end is environments.ts and serving.ts (what `serve` adds) around
// `webhook/checking`. Loaded only with the flag.
export { checkAt } from './check.ts';
