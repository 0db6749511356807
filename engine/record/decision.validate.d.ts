// SPDX-License-Identifier: Apache-2.0
import type { ErrorObject } from 'ajv/dist/2020.js';

/** Whether a value is a predicate; what is wrong with the last one is in `errors`. */
export const validate: {
  (value: unknown): boolean;
  readonly errors?: readonly ErrorObject[] | null;
};
