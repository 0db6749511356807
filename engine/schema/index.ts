// SPDX-License-Identifier: Apache-2.0
// Kubernetes' own schema. `table` is what its Go types say, printed by the `kube` program (../toolchain/programs/kube) into
// kubernetes.json; `read` reads one object by it, as strict decoding does, and writes it as the types would (`scalar`, `quantity`,
// `time`, `reading`); `life` says which version serves a kind; `crd/` checks custom kinds by their definitions; `schema` makes findings
// of all that.
//
// Why a table: the program has 60 MB, takes a second to start and half a millisecond for an object; the table takes some 15 µs and no start, so
// that the check is on for everybody and the set digest can be made at admission. test/engine/schema holds it to the program.
export { type CustomKinds, isDefinition, readCustomKinds } from './crd/index.ts';
export { readTyped, type Subject, type Typed } from './read.ts';
export type { Fault } from './reading.ts';
export { type ObjectSchema, openSchema, SCHEMA_RULES, type SchemaSettings } from './schema.ts';
export { groupOf, type Kind, KUBERNETES_MINOR, KUBERNETES_VERSION, kindOf, type Life } from './table.ts';
