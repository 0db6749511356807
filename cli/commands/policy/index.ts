// SPDX-License-Identifier: Apache-2.0
// The verbs for those who write rules, one file each. They are loaded together: they share nearly all that they need.
export { policyPull } from '../policy_pull.ts';
export { policyPush } from '../policy_push.ts';
export { policySign } from '../policy_sign.ts';
export { policyBench } from './bench.ts';
export { policyBuild } from './build.ts';
export { policyCheck } from './check.ts';
export { policyDeps } from './deps.ts';
export { policyEval } from './eval.ts';
export { policyFmt } from './fmt.ts';
export { policyInspect } from './inspect.ts';
export { policyTest } from './test.ts';
