// SPDX-License-Identifier: Apache-2.0
// Custom kinds by their definitions: which there are and where they live (`definition`), what their structural schema refuses
// (`structural`, `lists`), regular expressions that cannot hang (`pattern`), and the formats of Kubernetes' strings (`format`).
export { type CustomKinds, isDefinition, readCustomKinds } from './definition.ts';
