// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import { loadProgram, type ProgramInstance } from './program.ts';

/** A field that strict decoding refuses: one that the type does not have. */
export interface KubeFault {
  /** As the API server writes it: `spec.template.spec.containers[0].imag`. */
  readonly path: string;
  readonly message: string;
}

/** What Kubernetes' own types make of one object. */
export interface KubeReading {
  /** False for a kind that has no type; nothing else is said then. */
  readonly known: boolean;
  /** Why it is no object of its kind: the first value of a wrong type. */
  readonly error?: string;
  /** Empty where there is an `error`: Kubernetes tells one or the other. */
  readonly strict: readonly KubeFault[];
  /** The object as the types write it, as JSON; empty where there is an `error`, or it was only decoded. */
  readonly object: Uint8Array;
}

/** Kubernetes' own types, decoding and defaults, compiled to WebAssembly. */
export interface Kube {
  /** What the API server's strict decoding (`fieldValidation: Strict`) says of one object of JSON. */
  decode(object: Uint8Array): KubeReading;
  /** The object decoded and written again, with nothing filled in. */
  normal(object: Uint8Array): KubeReading;
  /** The object with what the API server fills in. */
  defaulted(object: Uint8Array): KubeReading;
  /** JSON that `npm run schema` makes engine/schema/kubernetes.json of. */
  table(): string;
}

const REQUESTS = { decode: 'd', normal: 'n', defaulted: 'f', table: 't' } as const;

/**
 * Opens the types; the program is loaded with the first call (about a second and 200 MB), and runs in place, since what it reads is
 * bounded before. Each call costs some 0.5 ms. engine/schema answers from a table of the same types, and needs none of this.
 *
 * @throws {EngineError} TOOLCHAIN_FAILED | TOOLCHAIN_DIGEST, from each call
 */
export function openKube(toolchainDirectory: string): Kube {
  let program: ProgramInstance | undefined;
  const ask = (request: keyof typeof REQUESTS, object: Uint8Array = new Uint8Array()): Answer => {
    program ??= loadProgram(toolchainDirectory, 'kube');
    return answerOf(program.call(Buffer.concat([Buffer.from(REQUESTS[request]), object])));
  };
  return {
    decode: (object) => readingOf(ask('decode', object)),
    normal: (object) => readingOf(ask('normal', object)),
    defaulted: (object) => readingOf(ask('defaulted', object)),
    table: () => ask('table').told,
  };
}

interface Answer {
  readonly told: string;
  readonly object: Uint8Array;
}

const LENGTH_BYTES = 4;

/** Four bytes of length, that many bytes of JSON, then the object. */
function answerOf(reply: Uint8Array): Answer {
  const end = LENGTH_BYTES + new DataView(reply.buffer, reply.byteOffset).getUint32(0, true);
  return { told: new TextDecoder().decode(reply.subarray(LENGTH_BYTES, end)), object: reply.subarray(end) };
}

function readingOf({ told, object }: Answer): KubeReading {
  const { known, error, strict }: Record<string, unknown> = JSON.parse(told);
  if (typeof known !== 'boolean')
    throw new EngineError('TOOLCHAIN_FAILED', 'the program "kube" gave an unknown answer');
  return {
    known,
    ...(typeof error === 'string' ? { error } : {}),
    strict: Array.isArray(strict) ? strict.map(faultOf) : [],
    object,
  };
}

function faultOf(fault: { readonly path?: unknown; readonly message?: unknown }): KubeFault {
  return { path: String(fault.path ?? ''), message: String(fault.message ?? '') };
}
