// SPDX-License-Identifier: Apache-2.0
import { pagesOf } from './memory.ts';

/** What one evaluation may use: `limits` of a Project. Budgets grow with the input; steps are the same on every machine. */
export interface RegoLimits {
  /** WebAssembly instructions, charged by function entry and loop iteration. */
  readonly steps: number;
  readonly stepsPerByte: number;
  /** Bytes of memory. */
  readonly memoryBytes: number;
  readonly memoryBytesPerByte: number;
  /** Calls on the stack of functions that can recurse. */
  readonly depth: number;
  /** The most memory that data may take, in bytes, beside that of evaluations. */
  readonly dataBytes: number;
  /** The largest input, in bytes. */
  readonly inputBytes: number;
}

/** DESIGN §4; about 870 times the median evaluation of ordinary rules. */
export const DEFAULT_LIMITS: RegoLimits = {
  steps: 2e9,
  stepsPerByte: 2_000,
  memoryBytes: 128 * 1024 * 1024,
  memoryBytesPerByte: 24,
  depth: 400,
  dataBytes: 1024 * 1024 * 1024,
  inputBytes: 64 * 1024 * 1024,
};

/** 3 GiB: with the most that data may take this stays below 4 GiB, where OPA's address of its memory's end would be 0. */
const MAX_PAGES = 49_151;
/** The base holds inputs up to this. */
const SMALL_BYTES = 64 * 1024;

export function fuelFor(limits: RegoLimits, inputBytes: number): bigint {
  return BigInt(limits.steps + limits.stepsPerByte * inputBytes);
}

/**
 * Pages of memory for an input. The base holds what is ordinary; larger inputs get the next power of two times the base, so that
 * few instances serve all sizes.
 */
export function pagesFor(limits: RegoLimits, inputBytes: number): number {
  const needed = limits.memoryBytes + (inputBytes > SMALL_BYTES ? limits.memoryBytesPerByte * inputBytes : 0);
  let size = Math.max(limits.memoryBytes, 1);
  while (size < needed) size *= 2;
  return Math.min(pagesOf(size), MAX_PAGES);
}
