// SPDX-License-Identifier: Apache-2.0
// What a GitOps controller would apply. `plan` reads a file's sources, `flux` and `argo` what each of them asks for, as charts and
// Kustomize folders of the repository; a field that would change the result and is not known is refused (`spec`).
export { type GitOpsFrame, type Plan, planGitOps } from './plan.ts';
