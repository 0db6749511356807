// SPDX-License-Identifier: Apache-2.0
import type { ControlPlane } from '../control-plane.ts';
import type { ServeSettings } from '../serve.ts';
import type { Tally } from './tally.ts';

/** What every group of checks needs. */
export interface Scene {
  readonly plane: ControlPlane;
  readonly settings: ServeSettings;
  readonly tally: Tally;
  /** Paths of cosign and of a registry. */
  readonly cosign: string;
  readonly registry: string;
}
