// SPDX-License-Identifier: Apache-2.0
// Where a false allow would live, every line and branch is run by the tests of that folder: anything less fails.
import base from './jest.config.js';

export default {
  ...base,
  testMatch: [
    '<rootDir>/test/engine/*.test.ts',
    // What these folders do for others is tested beside those.
    '<rootDir>/test/attest/verify/rotation.test.ts',
    '<rootDir>/test/engine/replay/replay.test.ts',
    ...['engine/decide', 'engine/record', 'attest/trust', 'attest/bundle', 'webhook'].map(
      (folder) => `<rootDir>/test/${folder}/**/*.test.ts`,
    ),
  ],
  collectCoverage: true,
  coverageProvider: 'v8',
  coverageReporters: ['text'],
  collectCoverageFrom: [
    '{engine/decide,engine/record,attest/trust,webhook/admission}/**/*.ts',
    '!**/*.d.ts',
    // Runs in threads of its own, where nothing counts: test/webhook/admission/threads.test.ts asks it from outside.
    '!webhook/admission/judging_worker.ts',
  ],
  coverageThreshold: { global: { statements: 100, branches: 100, functions: 100, lines: 100 } },
};
