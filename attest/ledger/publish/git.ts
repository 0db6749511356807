// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { AttestError } from '../../error.ts';
import { writeFile } from './folder.ts';

const TIMEOUT_MS = 60_000;
const run = promisify(execFile);
/** A commit is made by the ledger, whoever runs it; hooks and signing of the user's own have no part in it. */
const FLAGS = [
  '-c',
  'user.name=countersign',
  '-c',
  'user.email=ledger@countersign.invalid',
  '-c',
  'commit.gpgSign=false',
];

/**
 * Commits a checkpoint to a clone of a Git repository, as the file `<origin>`, and pushes where the branch has an upstream: the history
 * of that file is then one of checkpoints, on a server that is not ours. Resolves with whether there was anything new.
 * Rejects with {AttestError} CHECKPOINT_UNPUBLISHED
 */
export async function commitCheckpoint(
  repository: string,
  origin: string,
  { size, note }: { readonly size: number; readonly note: string },
): Promise<boolean> {
  const git = (...args: string[]) => runGit(repository, args);
  writeFile(join(repository, origin), note);
  await git('add', '--', origin);
  const { stdout } = await git('status', '--porcelain', '--', origin);
  if (stdout !== '')
    await git('commit', '--quiet', '--no-verify', '-m', `${origin}: ${size} records`, '--', origin);
  if (await hasUpstream(repository)) await git('push', '--quiet');
  return stdout !== '';
}

async function hasUpstream(repository: string): Promise<boolean> {
  try {
    await run('git', ['-C', repository, 'rev-parse', '--abbrev-ref', '@{upstream}'], { timeout: TIMEOUT_MS });
    return true;
  } catch {
    return false;
  }
}

async function runGit(repository: string, args: readonly string[]): Promise<{ readonly stdout: string }> {
  try {
    return await run('git', ['-C', repository, ...FLAGS, ...args], { timeout: TIMEOUT_MS });
  } catch (cause) {
    const said: unknown = Reflect.get(Object(cause), 'stderr');
    const reason =
      typeof said === 'string' && said.trim() !== '' ? said.trim().split('\n')[0] : 'it did not run';
    throw new AttestError(
      'CHECKPOINT_UNPUBLISHED',
      `git ${args[0]} failed in ${JSON.stringify(repository)}: ${reason}`,
      {
        hint: 'name a clone whose branch this user may commit to and push',
        cause,
      },
    );
  }
}
