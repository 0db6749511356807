// SPDX-License-Identifier: Apache-2.0
import { EngineError } from '../error.ts';
import type { Style } from '../policy/rule.ts';
import { exactText, parseExact } from '../record/canonical.ts';
import type { Finding } from './finding.ts';

/** An UPDATE that leaves what an object is as it was: both versions, exact, without what controllers keep house with. */
export interface Unchanged {
  readonly before: unknown;
  readonly after: unknown;
  /** Whether labels and annotations are as they were too. */
  readonly isLabelled: boolean;
}

/** What the API server and garbage collection write into any object; a finalizer that cannot be removed keeps it for ever. */
const HOUSEKEEPING = new Set([
  'finalizers',
  'ownerReferences',
  'managedFields',
  'resourceVersion',
  'generation',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
]);
/** Annotations that the controller of Deployments keeps its counts in. */
const COUNTING = 'deployment.kubernetes.io/';

type Members = Readonly<Record<string, unknown>>;
type Count = 'down' | 'on';

/** Members of `spec` that may change towards less running; more of what is wrong is never as it was. */
const COUNTS: Readonly<Record<string, Readonly<Record<string, Count>>>> = {
  'apps/v1/Deployment': { replicas: 'down', paused: 'on' },
  'apps/v1/ReplicaSet': { replicas: 'down' },
  'apps/v1/StatefulSet': { replicas: 'down' },
  'v1/ReplicationController': { replicas: 'down' },
  'batch/v1/Job': { parallelism: 'down', suspend: 'on' },
  'batch/v1/CronJob': { suspend: 'on' },
};

/**
 * Compares an object with what it was (JSON bytes of both, integers exact). Undefined where more than housekeeping, labels,
 * annotations and a falling count differs: whoever changes what an object is answers for all of it.
 */
export function unchangedBy(before: Uint8Array, after: Uint8Array): Unchanged | undefined {
  try {
    const [old, now] = [withoutHousekeeping(parseExact(before)), withoutHousekeeping(parseExact(after))];
    if (!isFalling(old, now)) return undefined;
    const [was, is] = [withoutCounts(old), withoutCounts(now)];
    if (exactText(withoutLabels(was)) !== exactText(withoutLabels(is))) return undefined;
    return { before: old, after: now, isLabelled: exactText(was) === exactText(is) };
  } catch (error) {
    // A number that no double holds: the two cannot be compared, so nothing is as it was.
    if (error instanceof EngineError) return undefined;
    throw error;
  }
}

/**
 * The findings with those marked that were true before: the same rule said the same, at the same place, of the object as it was.
 * They warn instead of failing. A place is a path whose value is as it was. Without a path a finding of a Conftest rule, which sees
 * nothing but the object, counts where labels are unchanged as well; one of a native rule never does, as it may be about who asks
 * or when. Errors are never inherited.
 * @param said what the same rules say of the object as it was
 */
export function inherit(
  findings: readonly Finding[],
  said: readonly Finding[],
  about: { readonly unchanged: Unchanged; readonly style: Style },
): readonly Finding[] {
  const known = new Set(said.filter(({ result }) => result === 'fail').map(keyOf));
  return findings.map((finding) =>
    finding.result === 'fail' && known.has(keyOf(finding)) && isInPlace(finding, about)
      ? inheritedOf(finding)
      : finding,
  );
}

/** A fail that was true before, as the warning it becomes. */
export const inheritedOf = <T extends Omit<Finding, 'object'>>(finding: T): T => ({
  ...finding,
  result: 'warn',
  inherited: true,
});

const keyOf = ({ rule, path, message, severity }: Finding): string =>
  JSON.stringify([rule, path ?? null, message, severity]);

function isInPlace(
  { path }: Finding,
  { unchanged, style }: { readonly unchanged: Unchanged; readonly style: Style },
): boolean {
  if (path === undefined) return style === 'conftest' && unchanged.isLabelled;
  const [head, ...segments] = path.split('/');
  // A path that begins nowhere in the object is no place in it.
  if (head !== '' || valueAt(unchanged.after, segments.slice(0, 1)) === undefined) return false;
  return exactText(valueAt(unchanged.before, segments)) === exactText(valueAt(unchanged.after, segments));
}

/** The value at a JSON pointer's segments, or undefined. @see https://www.rfc-editor.org/rfc/rfc6901 */
function valueAt(value: unknown, segments: readonly string[]): unknown {
  return segments
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (inside, key) =>
        typeof inside === 'object' && inside !== null && Object.hasOwn(inside, key)
          ? Reflect.get(inside, key)
          : undefined,
      value,
    );
}

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A copy with one member replaced by what `change` makes of it; as it is where there is no such object. */
function changed(value: unknown, key: string, change: (member: Members) => Members): unknown {
  const member = isMembers(value) ? value[key] : undefined;
  return isMembers(value) && isMembers(member) ? { ...value, [key]: change(member) } : value;
}

const without = (members: Members, isDropped: (key: string) => boolean): Members =>
  Object.fromEntries(Object.entries(members).filter(([key]) => !isDropped(key)));

function withoutHousekeeping(value: unknown): unknown {
  return changed(value, 'metadata', (metadata) => {
    const kept = without(metadata, (key) => HOUSEKEEPING.has(key));
    const annotations = kept['annotations'];
    if (!isMembers(annotations)) return kept;
    const stated = without(annotations, (key) => key.startsWith(COUNTING));
    // None and an empty map say the same.
    return Object.keys(stated).length === 0
      ? without(kept, (key) => key === 'annotations')
      : { ...kept, annotations: stated };
  });
}

const withoutLabels = (value: unknown): unknown =>
  changed(value, 'metadata', (metadata) =>
    without(metadata, (key) => key === 'labels' || key === 'annotations'),
  );

const withoutCounts = (value: unknown): unknown =>
  changed(value, 'spec', (spec) => without(spec, (key) => Object.hasOwn(countsOf(value), key)));

function countsOf(value: unknown): Readonly<Record<string, Count>> {
  const key = isMembers(value) ? `${String(value['apiVersion'])}/${String(value['kind'])}` : '';
  return (Object.hasOwn(COUNTS, key) ? COUNTS[key] : undefined) ?? {};
}

function isFalling(before: unknown, after: unknown): boolean {
  return Object.entries(countsOf(after)).every(([key, towards]) => {
    const [was, is] = [valueAt(before, ['spec', key]), valueAt(after, ['spec', key])];
    if (exactText(was) === exactText(is)) return true;
    if (towards === 'on') return is === true;
    return typeof was === 'number' && typeof is === 'number' && is < was;
  });
}
