// SPDX-License-Identifier: Apache-2.0
// How many people a rule wants is a whole number from 1 (go-tuf CVE-2026-23992: a threshold of 0 asked for nobody).
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Project, readProject } from '../../../engine/context/project.ts';
import { EngineError } from '../../../engine/error.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import { expectThrown } from '../../expect.ts';

const reader = openYamlReader(resolve('engine/toolchain/built'));
const project = (environment: string, top = ''): Project => {
  const text = `apiVersion: countersign.dev/v1alpha1
kind: Project
people: [{name: carol}, {name: bob}]
environments: [{name: production, tier: production, ${environment}}]
${top}`;
  return readProject({ name: 'countersign.yaml', bytes: Buffer.from(text) }, reader);
};

describe('what an environment asks of people', () => {
  it('is read as it is written', () => {
    const approvals = 'approvals: [{role: security, count: 2, from: [carol, bob]}]';
    expect(project(approvals).environments[0]?.approvals).toEqual([
      { role: 'security', count: 2, from: ['carol', 'bob'] },
    ]);
  });

  it.each([
    'approvals: [{role: security, count: 0, from: [carol]}]',
    'approvals: [{role: security, count: -1, from: [carol]}]',
    'approvals: [{role: security, count: 1.5, from: [carol]}]',
    'approvals: [{role: security, count: "2", from: [carol]}]',
    'approvals: [{role: security, from: [carol]}]',
    'approvals: [{role: security, count: 1, from: []}]',
    'approvals: [{role: security, count: 1}]',
    'approvals: []',
    'approvals: [{role: "s\\u0435curity", count: 1, from: [carol]}]',
    'breakGlass: {from: [carol], quorum: 0}',
    'breakGlass: {from: [carol], longestHours: 0}',
    'breakGlass: {}',
    'requester: anybody',
  ])('is refused: %s', (environment) => {
    expectThrown(() => project(environment), EngineError, 'PROJECT_SCHEMA');
  });

  it.each([
    'waivers: {from: []}',
    'waivers: {longestDays: {high: 3}}',
    'waivers: {from: [carol], longestDays: {high: -1}}',
    'login: {issuer: work, uses: [approval], environments: [production]}',
    "issuers: [{name: work, issuer: 'https://l.example', audience: c, kind: generic, jwks: {url: 'https://l.example/k'}}]\nlogin: {issuer: work, uses: [approval], environments: [production]}",
  ])('is refused: %s', (top) => {
    expectThrown(() => project('namespaces: [shop]', top), EngineError, 'PROJECT_SCHEMA');
  });
});
