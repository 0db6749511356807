// SPDX-License-Identifier: Apache-2.0
// The Project and what it says of an environment. Values are read by Kubernetes' own reader, positions by the same finder as
// manifests; the schema is published (`project.schema.json`) and unknown keys are errors.
export { oidcOf } from './oidc.ts';
export {
  type Environment,
  environmentNamed,
  environmentOfNamespace,
  type Project,
  type ProjectIssuer,
  readProject,
} from './project.ts';
export { compileSchema, type SchemaFault } from './schema.ts';
