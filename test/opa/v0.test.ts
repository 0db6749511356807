// SPDX-License-Identifier: Apache-2.0
import { testCases } from './suite.ts';

testCases('v0');
