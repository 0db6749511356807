// SPDX-License-Identifier: Apache-2.0
import type { Change } from '../../../engine/replay/replay.ts';
import { visible } from '../../report/text.ts';

/** What came of a replay: what differs from the records, or what other policies would change. */
export type Replay = {
  readonly replayed: number;
  /** Records that could not be replayed, and why. */
  readonly left: readonly { readonly id: string; readonly why: string }[];
  /** Records that nobody who is trusted has signed, or whose proof does not hold: not replayed. */
  readonly refused: readonly { readonly id: string; readonly why: string }[];
  /** Whether signatures were looked at. */
  readonly isVerified: boolean;
} & (
  | { readonly differing: readonly { readonly id: string; readonly members: readonly string[] }[] }
  | { readonly changes: readonly Change[] }
);

interface Count {
  readonly name: string;
  readonly denied: number;
  readonly allowed: number;
}

interface Summary {
  readonly denied: readonly Change[];
  readonly allowed: readonly Change[];
  readonly byRule: readonly Count[];
  readonly byTeam: readonly Count[];
  readonly byEnvironment: readonly Count[];
}

/** An error is no allow: what was denied and has no answer now is the same to whoever deploys. */
function summaryOf(changes: readonly Change[]): Summary {
  const denied = changes.filter(({ was, now }) => was === 'allow' && now !== 'allow');
  const allowed = changes.filter(({ was, now }) => was !== 'allow' && now === 'allow');
  const count = (namesOf: (change: Change) => readonly string[]): readonly Count[] => {
    const counted = (of: readonly Change[], name: string): number =>
      of.filter((change) => namesOf(change).includes(name)).length;
    return [...new Set([...denied, ...allowed].flatMap(namesOf))]
      .sort()
      .map((name) => ({ name, denied: counted(denied, name), allowed: counted(allowed, name) }));
  };
  return {
    denied,
    allowed,
    byRule: count(({ was, denying, allowing }) => (was === 'allow' ? denying : allowing)),
    byTeam: count(({ teams }) => (teams.length === 0 ? ['(none)'] : teams)),
    byEnvironment: count(({ environment }) => [environment ?? '(none)']),
  };
}

export function jsonOf(replay: Replay): string {
  const result =
    'changes' in replay ? { ...replay, ...summaryOf(replay.changes), changes: undefined } : replay;
  return `${JSON.stringify(result, null, 2)}\n`;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

function leftLines({ left, refused }: Replay): readonly string[] {
  return [
    ...refused.map(({ id, why }) => `does not hold: ${id}: ${why}`),
    ...left.map(({ id, why }) => `not repeated: ${id}: ${why}`),
  ];
}

/** How much of it was answered, and whether anybody looked at who signed. */
function countLines({ replayed, left, refused, isVerified }: Replay): readonly string[] {
  const all = replayed + left.length + refused.length;
  return [
    ...(left.length === 0 ? [] : [`not repeated: ${left.length} of ${plural(all, 'record')}`]),
    isVerified
      ? `verified ${plural(all, 'record')}: ${all - refused.length} hold, ${refused.length} do not`
      : 'no signature was verified (--unverified)',
  ];
}

export function textOf(replay: Replay): string {
  const lines = 'changes' in replay ? changeLines(replay.changes, replay.replayed) : sameLines(replay);
  return `${[...leftLines(replay), ...lines, ...countLines(replay)].map(visible).join('\n')}\n`;
}

function sameLines({ replayed, differing }: Extract<Replay, { differing: unknown }>): readonly string[] {
  return [
    ...differing.map(({ id, members }) => `differs: ${id}: ${members.join(', ')}`),
    `replayed ${plural(replayed, 'record')}: ${replayed - differing.length} the same, ${differing.length} differ`,
  ];
}

function changeLines(changes: readonly Change[], replayed: number): readonly string[] {
  const summary = summaryOf(changes);
  const table = (title: string, counts: readonly Count[]): readonly string[] =>
    counts.length === 0
      ? []
      : [
          `by ${title}:`,
          ...counts.map(({ name, denied, allowed }) => `  ${name}: ${denied} denied, ${allowed} allowed`),
        ];
  return [
    ...summary.denied.map((change) => `newly denied: ${lineOf(change)}`),
    ...summary.allowed.map((change) => `newly allowed: ${lineOf(change)}`),
    ...table('rule', summary.byRule),
    ...table('team', summary.byTeam),
    ...table('environment', summary.byEnvironment),
    `replayed ${plural(replayed, 'record')}: ${summary.denied.length} newly denied, ${summary.allowed.length} newly allowed`,
  ];
}

const lineOf = ({ id, environment, was, denying, allowing }: Change): string =>
  `${id} (${environment ?? 'no environment'}): ${(was === 'allow' ? denying : allowing).join(', ')}`;

/** For a merge request: tables, foreign text in code. */
export function markdownOf(replay: Replay): string {
  if (!('changes' in replay))
    return `${[...leftLines(replay), ...sameLines(replay), ...countLines(replay)].map((line) => `- ${code(line)}`).join('\n')}\n`;
  const { denied, allowed, byRule, byTeam, byEnvironment } = summaryOf(replay.changes);
  const table = (title: string, counts: readonly Count[]): readonly string[] =>
    counts.length === 0
      ? []
      : [
          '',
          `| ${title} | newly denied | newly allowed |`,
          '| --- | ---: | ---: |',
          ...counts.map((one) => `| ${code(one.name)} | ${one.denied} | ${one.allowed} |`),
        ];
  const list = (title: string, changes: readonly Change[]): readonly string[] =>
    changes.length === 0
      ? []
      : [
          '',
          `<details><summary>${title}</summary>`,
          '',
          ...changes.map((one) => `- ${code(lineOf(one))}`),
          '',
          '</details>',
        ];
  return `${[
    '### What these policies would have decided',
    '',
    `${plural(replay.replayed, 'record')} replayed: **${denied.length} newly denied**, **${allowed.length} newly allowed**.`,
    '',
    ...countLines(replay).map((line) => `- ${line}`),
    ...leftLines(replay).map((line) => `- ${code(line)}`),
    ...table('rule', byRule),
    ...table('team', byTeam),
    ...table('environment', byEnvironment),
    ...list('newly denied', denied),
    ...list('newly allowed', allowed),
  ].join('\n')}\n`;
}

/** A name comes from manifests and must not become markup. */
const code = (text: string): string => `\`${visible(text).replaceAll('`', "'").replaceAll('|', '\\|')}\``;
