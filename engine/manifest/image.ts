// SPDX-License-Identifier: Apache-2.0
import { type Document, type JsonValue, member, textMember } from './document.ts';
import { parseReference, type Reference } from './reference.ts';

/** One use of an image in an object. */
export interface Image extends Reference {
  /** As it is written; the JSON text of it where it is no string. */
  readonly ref: string;
  /** The name of the container, or of the volume. */
  readonly container: string;
  /** JSON pointer inside the object. */
  readonly path: string;
}

/** Where each workload kind keeps its pod spec. Other groups' kinds of the same name keep theirs there too. */
const POD_SPECS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Pod', ['spec']],
  ['PodTemplate', ['template', 'spec']],
  ['Deployment', ['spec', 'template', 'spec']],
  ['ReplicaSet', ['spec', 'template', 'spec']],
  ['ReplicationController', ['spec', 'template', 'spec']],
  ['StatefulSet', ['spec', 'template', 'spec']],
  ['DaemonSet', ['spec', 'template', 'spec']],
  ['Job', ['spec', 'template', 'spec']],
  ['CronJob', ['spec', 'jobTemplate', 'spec', 'template', 'spec']],
  ['ControllerRevision', ['data', 'spec', 'template', 'spec']],
]);

const CONTAINER_LISTS = ['initContainers', 'containers', 'ephemeralContainers'] as const;

/** Every image that an object runs or mounts, in the order init containers, containers, ephemeral containers, volumes. */
export function imagesOf(document: Document): readonly Image[] {
  const path = POD_SPECS.get(document.id?.kind ?? '');
  if (path === undefined) return [];
  const spec = path.reduce<JsonValue | undefined>(member, document.value);
  const at = `/${path.join('/')}`;
  return [
    ...CONTAINER_LISTS.flatMap((list) => imagesIn(spec, list, ['image'], at)),
    ...imagesIn(spec, 'volumes', ['image', 'reference'], at),
  ];
}

function imagesIn(
  spec: JsonValue | undefined,
  list: string,
  steps: readonly string[],
  at: string,
): readonly Image[] {
  const items = member(spec, list);
  if (!Array.isArray(items)) return [];
  return items.flatMap((item: JsonValue, index) => {
    const image = steps.reduce<JsonValue | undefined>(member, item);
    if (image === undefined || image === null || image === '') return [];
    const container = textMember(item, 'name') ?? '';
    return [imageOf(image, container, [at, list, index, ...steps].join('/'))];
  });
}

function imageOf(image: JsonValue, container: string, path: string): Image {
  const isText = typeof image === 'string';
  const ref = isText ? image : JSON.stringify(image);
  return { ref, ...(isText ? parseReference(image) : { registry: '', repository: '' }), container, path };
}

/** Every image that documents name, each reference once, in order. */
export function distinctImages(
  documents: readonly Document[],
): readonly { readonly ref: string; readonly digest?: string }[] {
  const found = new Map<string, string | undefined>();
  for (const image of documents.flatMap((document) => imagesOf(document))) found.set(image.ref, image.digest);
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([ref, digest]) => ({ ref, ...(digest === undefined ? {} : { digest }) }));
}
