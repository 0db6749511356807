// SPDX-License-Identifier: Apache-2.0
// What GitLab and GitHub say of who approved a change there: `client` asks, `gitlab` and `github` read what is answered. All of it binds
// a number and a commit and never the objects that are applied, so what is made of it is weaker than what a person signs.
export { type ForgeAccess, type ForgeClient, openForge } from './client.ts';
export { readDeploymentReviews, readPullRequest } from './github.ts';
export { readDeployment, readMergeRequest } from './gitlab.ts';
export type { AskedRequest, ForgeApproval, ForgeReading, ForgeUser } from './reading.ts';
