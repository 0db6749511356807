// SPDX-License-Identifier: Apache-2.0
export async function benchWebhook(_o: unknown): Promise<string> {
  return '';
}
