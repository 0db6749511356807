// SPDX-License-Identifier: Apache-2.0
// What no npm package does is done by Go code of the projects that define it, as WebAssembly: `programs/` has the sources,
// `built/` the modules with their manifests (`scripts/wasm.ts`). `artefact.ts` reads and checks one, `sandbox.ts` is all it
// sees of the world, `program.ts` talks to it. `yaml.ts` is Kubernetes' own reader, in place, since its input is bounded
// before; `builtins.ts` has OPA's own builtins, in place too, each call bounded; `rego.ts` is OPA's parser, compiler and tester, in a thread of its own (`rego_thread.ts`, `rego_worker.ts`) that is
// ended at its deadline.
export type { ProgramManifest, ProgramName } from './artefact.ts';
export { openRegoBuiltins } from './builtins.ts';
export { loadProgram, type ProgramInstance } from './program.ts';
export { evaluateOnModule } from './rego/rego_query.ts';
export {
  openRegoToolchain,
  type RegoAnnotation,
  type RegoBuild,
  type RegoBuiltinUse,
  type RegoDependencies,
  type RegoEvalOptions,
  type RegoEvaluation,
  type RegoExpression,
  type RegoModuleInfo,
  type RegoPlace,
  type RegoRule,
  type RegoRuleTrace,
  type RegoSchema,
  type RegoSource,
  type RegoTest,
  type RegoTestEntry,
  type RegoTestModule,
  type RegoTestOptions,
  type RegoTestReport,
  type RegoToolchain,
} from './rego.ts';
export { readSchemas } from './schemas.ts';
export { openYamlReader, type YamlReader, type YamlSection } from './yaml.ts';
