// SPDX-License-Identifier: Apache-2.0
// The tests that come with policies: run.ts runs them on OPA's evaluator and on the compiled module, outcome.ts says how each ended
// and compares the two.
export { type ModuleOutcome, type Outcome, outcomeOf } from './outcome.ts';
export { type PolicyTest, type PolicyTestReport, runTests } from './run.ts';
