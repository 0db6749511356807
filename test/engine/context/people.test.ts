// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import {
  isAmong,
  type PeopleParts,
  peopleFaults,
  personOfIdentity,
  personOfKey,
} from '../../../engine/context/people.ts';

const LOGIN = { issuer: 'https://login.example', subject: '8f2c' };
const PARTS: PeopleParts = {
  trust: { keys: [{ name: 'k1' }, { name: 'k2' }] },
  people: [
    { name: 'alice', groups: ['payments'], keys: ['k1'] },
    { name: 'carol', groups: ['security'], keys: ['k2'], identities: [LOGIN] },
  ],
};
const faults = (parts: PeopleParts): readonly string[] =>
  peopleFaults({ ...PARTS, ...parts }).map(({ pointer, message }) => `${pointer}: ${message}`);
const rule = (parts: object): PeopleParts => ({
  environments: [{ approvals: [{ role: 'security', count: 1, from: ['security'], ...parts }] }],
});

describe('people', () => {
  it('are found by key and by login, exactly', () => {
    const { people = [] } = PARTS;
    expect(personOfKey(people, 'k2')?.name).toBe('carol');
    expect(personOfKey(people, 'K2')).toBeUndefined();
    expect(personOfIdentity(people, LOGIN)?.name).toBe('carol');
    expect(personOfIdentity(people, { ...LOGIN, issuer: 'https://login.example/' })).toBeUndefined();
    expect(isAmong({ name: 'bob', groups: ['security'] }, ['security'])).toBe(true);
    expect(isAmong({ name: 'bob' }, ['security'])).toBe(false);
  });

  it('and rules that hold have no fault', () => {
    expect(faults(rule({}))).toEqual([]);
  });

  it.each([
    [
      'a key of two',
      {
        people: [
          { name: 'a', keys: ['k1'] },
          { name: 'b', keys: ['k1'] },
        ],
      },
      '/people/1/keys/0: key "k1" is that of "a" already',
    ],
    [
      'a key of nobody',
      { people: [{ name: 'a', keys: ['k3'] }] },
      '/people/0/keys/0: no key "k3" is under trust.keys',
    ],
    [
      'a key that trust gives to another',
      { trust: { keys: [{ name: 'k1', person: 'eve' }] }, people: [{ name: 'a', keys: ['k1'] }] },
      '/people/0/keys/0: key "k1" is that of "eve" under trust.keys',
    ],
    [
      'a login of two',
      {
        people: [
          { name: 'a', identities: [LOGIN] },
          { name: 'b', identities: [LOGIN] },
        ],
      },
      '/people/1/identities/0: the login "8f2c" of "https://login.example" is that of "a" already',
    ],
    [
      'a name twice',
      { people: [{ name: 'a' }, { name: 'a' }] },
      '/people/1/name: the name "a" is that of "a" already',
    ],
    [
      'a group like a person',
      { people: [{ name: 'a', groups: ['b'] }, { name: 'b' }] },
      '/people/0/groups: group "b" has the name of a person',
    ],
    [
      'nobody',
      rule({ from: ['security', 'nobody'] }),
      '/environments/0/approvals/0/from/1: "nobody" is no person and no group under people',
    ],
    [
      'more than there are',
      rule({ count: 2 }),
      '/environments/0/approvals/0: 2 people are wanted, and 1 could sign: nobody can meet this',
    ],
    [
      'a role of ours',
      rule({ role: 'waiver' }),
      '/environments/0/approvals/0/role: role "waiver" is one of ours',
    ],
    [
      'a role of two rules, whose people would do for each other',
      {
        environments: [
          {
            approvals: [
              { role: 'reviewer', count: 1, from: ['payments'] },
              { role: 'reviewer', count: 1, from: ['security'] },
            ],
          },
        ],
      },
      '/environments/0/approvals/1/role: role "reviewer" has a rule already',
    ],
    [
      'too few for a glass',
      { environments: [{ breakGlass: { from: ['carol'], quorum: 2 } }] },
      '/environments/0/breakGlass: 2 people are wanted, and 1 could sign: nobody can meet this',
    ],
    [
      'nobody for waivers',
      { waivers: { from: ['x'] } },
      '/waivers/from/0: "x" is no person and no group under people',
    ],
  ] as const)('are refused: %s', (_, parts, fault) => {
    expect(faults(parts)).toEqual([fault]);
  });
});
