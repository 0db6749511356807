// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';

/** One file that is handed over; `given` are those that `--set-file` names. */
export interface Part {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly given?: true;
}

/** One change of a chart's values: text of YAML, or a line as Helm's flags `--set`, `--set-string` and `--set-file` take it. */
export interface ValueStep {
  readonly kind: 'yaml' | 'set' | 'string' | 'file';
  /** How errors call it. */
  readonly name: string;
  readonly text: string;
}

/** A chart and what it is rendered with; the names are those of programs/render/helm.go. */
export interface HelmJob {
  readonly archive?: true;
  readonly release: string;
  readonly namespace: string;
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly includeCrds?: boolean;
  readonly skipTests?: boolean;
  readonly skipSchema?: boolean;
  readonly values: readonly ValueStep[];
  readonly valuesFiles?: readonly string[];
}

/** A Kustomize folder, by its absolute path; the names are those of programs/render/kustomize.go. */
export interface KustomizeJob {
  readonly path: string;
  readonly absent: readonly string[];
  readonly edit?: KustomizeEdit;
  readonly after?: KustomizeAfter;
}

/** What a GitOps controller changes of a kustomization before it builds it. */
export interface KustomizeEdit {
  readonly generate?: boolean;
  readonly namespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly images?: readonly object[];
  readonly replicas?: readonly object[];
  readonly patches?: readonly object[];
  readonly components?: readonly string[];
  readonly commonLabels?: Readonly<Record<string, string>>;
  readonly commonAnnotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What Flux changes of what was built. */
export interface KustomizeAfter {
  readonly substitute?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What the program is asked: one of the two jobs. */
export interface RenderRequest {
  readonly parts: readonly Part[];
  readonly helm?: HelmJob;
  readonly kustomize?: KustomizeJob;
}

/** Where a line of the stream (1-based) and those after it came from, as the program calls it. */
export interface Origin {
  readonly line: number;
  readonly path: string;
}

/** What the program says. */
export interface RenderAnswer {
  readonly error?: string;
  /** Files that it lacks; nothing else holds then. */
  readonly wanted: readonly string[];
  readonly origins: readonly Origin[];
  readonly warnings: readonly string[];
  /** Objects that templates asked the cluster for. */
  readonly lookups: readonly string[];
  readonly stream: Uint8Array;
}

const LENGTH_BYTES = 4;

/** A length, a head in JSON, and the bytes of all parts. */
export function encodeRequest({ parts, helm, kustomize }: RenderRequest): Uint8Array {
  const head = Buffer.from(
    JSON.stringify({
      parts: parts.map(({ path, bytes, given }) => ({ path, size: bytes.length, given: given === true })),
      helm,
      kustomize,
    }),
  );
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(head.length);
  return Buffer.concat([length, head, ...parts.map(({ bytes }) => bytes)]);
}

/** @throws {EngineError} TOOLCHAIN_FAILED for bytes that are no answer */
export function decodeAnswer(bytes: Uint8Array): RenderAnswer {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = LENGTH_BYTES + (view.length < LENGTH_BYTES ? 0 : view.readUInt32LE());
  if (end > view.length || end === LENGTH_BYTES) throw noAnswer();
  const head: Partial<RenderAnswer> | null = JSON.parse(view.toString('utf8', LENGTH_BYTES, end));
  if (head === null) throw noAnswer();
  return {
    ...(head.error === undefined ? {} : { error: head.error }),
    wanted: head.wanted ?? [],
    origins: head.origins ?? [],
    warnings: head.warnings ?? [],
    lookups: head.lookups ?? [],
    stream: view.subarray(end),
  };
}

const noAnswer = (): EngineError =>
  new EngineError('TOOLCHAIN_FAILED', 'the program "render" gave an unknown answer');
