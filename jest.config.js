// SPDX-License-Identifier: Apache-2.0
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        jsc: {
          parser: { syntax: 'typescript' },
          target: 'es2024',
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  modulePathIgnorePatterns: [
    '<rootDir>/dist/',
    '<rootDir>/test/cluster/',
    '<rootDir>/test/bench/.build/',
    '<rootDir>/test/bundles/.build/',
    '<rootDir>/test/images/.build/',
    '<rootDir>/test/kms/.build/',
  ],
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/test/cosign/',
    '<rootDir>/test/docs/',
    '<rootDir>/test/kms/',
    '<rootDir>/test/postgres/',
  ],
  maxWorkers: 2,
  testTimeout: 30_000,
};
