// SPDX-License-Identifier: Apache-2.0
// Sources → Policy. Modules are parsed and classified by package (native below `countersign.rules.`, Conftest elsewhere), one
// entrypoint is generated that returns every rule's result, and the whole is compiled to one WASM module.
export { compileCached, type PolicyCache } from './cache.ts';
export {
  type CompiledPolicy,
  type CompileExtras,
  type CompileRequest,
  compilePolicy,
  entrypointsOf,
} from './compile.ts';
export type { ChangedData } from './data/index.ts';
export { DEFAULT_NAMESPACES, malformedName, type Namespaces, refuseUnmatched } from './namespaces/index.ts';
export { type Pack, readLibraries, readPack, readPackSources } from './pack.ts';
export { checkParameters, refuseUnknownRules } from './parameters.ts';
export { type Evaluation, loadPolicy, type Policy, type RawResult } from './policy.ts';
export type { Entry, Rule, Style } from './rule.ts';
export { inVersion, isBundlePath, type RegoVersion, readRegoSources, withoutTests } from './sources.ts';
export { entriesOf, unreadPackages } from './style.ts';
export {
  type ModuleOutcome,
  type Outcome,
  outcomeOf,
  type PolicyTest,
  type PolicyTestReport,
  runTests,
} from './tests/index.ts';
