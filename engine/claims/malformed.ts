// SPDX-License-Identifier: Apache-2.0

/** A predicate of a known type that is not what its type says, on its way to becoming a refusal; it never leaves this folder. */
export class Malformed extends Error {}
