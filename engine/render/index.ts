// SPDX-License-Identifier: Apache-2.0
// Charts and Kustomize folders become streams that are read like files. `recognise` tells what a path holds, `folder` and `collect`
// read it within limits and inside one root (`root`), `program` speaks with the Go program `render` (Helm's engine and Kustomize's api),
// which runs in a thread of its own (`thread`, `render_worker`) with a deadline and a limit of memory (`memory`). `failure` gives
// what those tools say a code, a place and a hint; `stable` tells what is another each time. `gitops/` reads Flux and Argo CD sources.

export { openReading } from './folder.ts';
export { planGitOps } from './gitops/index.ts';
export type { ValueStep } from './program.ts';
export { recognise, type SourceKind } from './recognise.ts';
export {
  type ChartSource,
  type KustomizeSource,
  openRenderer,
  type Rendered,
  type Renderer,
  type RenderFrame,
} from './render.ts';
export { rootOf } from './root.ts';
export { refuseUnstable, UNSTABLE, withUnstable } from './stable.ts';
