// SPDX-License-Identifier: Apache-2.0

/** What is odd to some reader of YAML in a plain scalar, and some that is odd to none. */
const PLAIN = [
  `a¦b c¦nginx:1.25¦http://x/y?z=1#f¦a#b¦a,b¦x y  z¦a: b¦a:b¦a:¦$(VAR)¦a"b¦a'b¦a\\b¦true¦false`,
  `null¦~¦True¦NULL¦yes¦No¦on¦OFF¦y¦N¦oN¦nope¦~a¦none¦yes.¦0¦1¦-1¦+1¦80¦007¦0o17¦0x1F¦0b11`,
  `1_000¦-_1¦+_1¦-_¦_1¦1_¦-0¦+0¦00¦08¦1.5¦-1.5¦1.0¦0.10¦.5¦-.5¦+.5¦-_.5¦._5¦1.¦0.¦00.5¦-0.0¦1e3`,
  `1E-3¦1.5e3¦.e1¦0.000001¦0.0000001¦123456789012345.6¦0.1234567890123456¦999999999999999999`,
  `9223372036854775807¦9223372036854775808¦-9223372036854775808¦18446744073709551616¦1e400¦.inf`,
  `-.Inf¦.nan¦-.¦.¦..¦...¦1.2.3¦10.0.0.1¦1.2-rc¦1:30¦190:20:30¦2001-12-14`,
  `2001-12-14T21:59:43.1Z¦12e¦0x¦0b2¦1d¦-a¦--¦---¦-¦- a¦--- a¦?¦? a¦?a¦:a¦:¦=¦<<¦@a¦\`a\`¦%a¦&a`,
  `*a¦&a b¦!!str 1¦!x¦|a¦>a¦[¦]¦{¦}¦,¦#a¦\ta¦a\tb¦a\t¦;x¦^x¦(x)¦/x¦\\x¦+¦+a¦-+1¦+-1¦--1¦ü¦é日本¦😀`,
  `a\u00a0b¦\u00a0¦a\u0085b¦a\u2028b¦\ufeffa¦a–b¦“a”¦a\u200bb¦\ue000¦\ufffd¦\u007f¦\u0007`,
].flatMap((line) => line.split('¦'));

const QUOTED = [
  `""¦''¦"null"¦'~'¦"true"¦"-_1"¦"2001-12-14"¦"a"¦'a'¦"a b" ¦"a: b"¦'a # b'¦"a\\"b"¦"a\\\\"`,
  `"\\n\\r\\t"¦"\\/"¦"\\x41"¦"\\u00e4"¦"\\0"¦'a''b'¦''''¦'\\'¦'"'¦"'"¦"a\tb"¦'a\tb'¦"ü😀"¦"yes"`,
  `'1'¦"<<"¦'---'¦"a"b¦"a"#b¦"a" # b¦"a¦'a¦"\\ud83d\\ude00"¦"\\ud800"¦"\\u0000"¦"\\ "¦"\\a\\e"¦" a "¦' '`,
].flatMap((line) => line.split('¦'));

const KEYS = [
  `a¦b¦c¦d¦name¦spec¦app.kubernetes.io/name¦a b¦x-y¦$ref¦a:b¦a::¦ä¦😀¦a#b¦/p¦.a¦-a¦"a"¦'b'¦"k k"`,
  `'x: y'¦"<<"¦"yes"¦'1'¦"ü"¦"# no"¦"a\\nb"¦'a''b'¦""¦yes¦y¦1¦1.5¦null¦~¦true¦<<¦? a¦[a]¦{a: b}`,
  `&k a¦!!str a¦a ¦-_1¦0x1¦2001-12-14¦a\tb¦a'b¦a"b¦a\\b`,
]
  .flatMap((line) => line.split('¦'))
  .concat('k'.repeat(300), 'k'.repeat(1100));

const SAFE = [
  'a',
  'b',
  'name',
  'x',
  'web',
  'NET_ADMIN',
  '80',
  'true',
  'null',
  '"a"',
  "'b c'",
  '1.5',
  'a-b',
  'nginx/x',
  'e.f',
  'key',
] as const;

/** Lists that a piece of a document is picked from; half of most is ordinary, or hardly a document would be. */
export const pieces = {
  tokens: [
    'a',
    'b',
    'a: ',
    'b:',
    '- ',
    '-',
    '\n',
    '\n  ',
    '\n ',
    '\n    ',
    ' ',
    ': ',
    '#',
    ' # c',
    '|',
    '>-',
    '[',
    ']',
    '{',
    '}',
    ', ',
    '"',
    "'",
    '1',
    '_',
    '.',
    '---',
    '...',
    '\t',
    '~',
    '\\',
    '?',
    '<<',
  ],
  scalars: weighted(SAFE, [...PLAIN, ...QUOTED]),
  flowScalars: weighted(SAFE, [...PLAIN, ...QUOTED]),
  keys: weighted(
    [
      'a',
      'b',
      'c',
      'd',
      'e',
      'f',
      'g',
      'h',
      'i',
      'j',
      'name',
      'spec',
      'kind',
      'labels',
      'ä',
      '"q"',
      "'r'",
      'x.y/z',
    ],
    KEYS,
  ),
  headers: weighted(
    ['|', '>', '|-', '>-', '| ', '|-  '],
    ['|+', '>+', '|2', '|-2', '|2-', '|1', '| # c', '|a', '|\t', '>- #', '|0'],
  ),
  lines: weighted(
    ['a', 'b c', 'x: y', '# no comment', '- a', '"q"', 'back\\slash', 'trailing '],
    ['tab\t', '\ttab', 'ü 😀', 'a\u0085b', '---', '...', '%', 'a\u2028b', "it's", ' ', '\\n'],
  ),
} as const;

type List = readonly [string, ...string[]];

/** Each of `odd` once and the ordinary ones some fifteen times as often together. */
function weighted(ordinary: readonly [string, ...string[]], odd: readonly string[]): List {
  const times = Math.ceil((15 * odd.length) / ordinary.length);
  const [first, ...more] = ordinary;
  return [first, ...more, ...Array.from({ length: times }, () => ordinary).flat(), ...odd];
}
