// SPDX-License-Identifier: Apache-2.0
// The edge towards a cluster: admission requests in, answers out, over TLS.
// `server.ts` owns the socket: limits, readiness, drain. `/v1/admit` goes to `admission/` on the bare server:
// endpoint (headers, body, deadline, in flight) -> handler (judge, sign and append, then answer). What judges are threads:
// threads (who gets what) -> judging_worker -> judging (the straight line: strict parse in review, judge, answer, statement), so
// that connections and health are served whatever a policy takes. Where an environment
// asks for attestations, `claims/` says beforehand what is proved about the images (claims -> prepared, by digest -> proving, a thread that
// speaks with registries): what is not known yet is no answer. Express serves the rest in `routes.ts`. A denial is 403 inside HTTP 200, our own failure 500 inside HTTP 200; neither is ever an allow.
// `/v1/check` goes to `checking/`: whole sets, judged for jobs in a thread of their own.
// `certificate.ts` keeps a CA and a certificate in the state folder, `manifest.ts` prints what registers the webhook.
export { type JudgingThreads, openThreads, type ThreadsOptions } from './admission/threads.ts';
export { ensureCertificate, type ServingCertificate } from './certificate.ts';
export { type Checking, type CheckParts, type CheckService, openChecking } from './checking/index.ts';
export { type AdmissionClaims, openClaims } from './claims/claims.ts';
export { openPrepared } from './claims/prepared.ts';
export { openProving } from './claims/proving.ts';
export type { AskedOf, ClaimScope } from './claims/scope.ts';
export { WebhookError, type WebhookErrorCode } from './error.ts';
export { DEFAULT_LIMITS, type Limits } from './limits.ts';
export type { Log, LogEvent } from './log.ts';
export { hostOfUrl, type Target, webhookManifest } from './manifest.ts';
export { type ServerOptions, startServer, type TlsIdentity, type WebhookServer } from './server.ts';
