// SPDX-License-Identifier: Apache-2.0
// Sets of objects, checked for jobs: `POST /v1/check?environment=NAME`. It is `check --record` with the server's own Project, policies,
// key and ledger, so that nothing the judged party has can weaken or sign it; `cli/remote` is the other end.
// endpoint (headers, caller, body, token used up, judged, recorded, answered) -> caller (the id token, by the server's own issuers)
// -> thread (one set at a time, its deadline) -> checking_worker -> checking (request, documents, claims, judge, statement).
// A thread of its own, started with the first set: a set may take seconds, and no admission waits for one.
// The environment stands in the address and the token in a header, so that a caller is known before a byte of 32 MiB is read. The caller
// states the digest of its set: both ends must have read the same objects, or nothing is signed. A token is used up once the request
// is whole, whatever becomes of it then: who wants another answer brings another token.
export type { CallerRules } from './caller.ts';
export type { CheckParts } from './checking.ts';
export { type CheckService, openCheckEndpoint } from './endpoint.ts';
export { type Checking, openChecking } from './thread.ts';
