// SPDX-License-Identifier: Apache-2.0
import { readSigner, signStatement } from '../../../attest/index.ts';
import { readProject } from '../../../engine/context/project.ts';
import { summaryOf } from '../../../engine/record/vsa.ts';
import { openYamlReader } from '../../../engine/toolchain/yaml.ts';
import type { Args, Verb } from '../../args.ts';
import { type ExitCode, UsageError } from '../../exit.ts';
import { readSource, writeWhole } from '../../files.ts';
import { findInstallation } from '../../installation.ts';
import type { Io } from '../../io.ts';
import { ledgerPlace, POSTGRES_FLAG } from '../../ledger/place.ts';
import { findProject } from '../../loading/project.ts';
import { visible } from '../../report/text.ts';
import { openPlace } from '../../seal.ts';
import { readKeyPem } from '../../signing/key.ts';
import { proveRecord } from '../decided.ts';
import { trustOf } from '../verify.ts';

export const reportVsa: Verb = {
  name: 'report vsa',
  summary: 'Signs the verification summary (VSA) of a record that holds and says allow.',
  positionals: 'RECORD',
  details:
    'Claimed are the rules and policies that found nothing, as COUNTERSIGN_… levels, and no level of SLSA. Exit code: 0 written, 1 the record does not hold as an allow.',
  flags: {
    trust: { value: 'FILE', help: 'the keys and logs that you trust; default those of --project' },
    project: { value: 'FILE', help: 'the Project that it must have been decided under' },
    env: { value: 'NAME', help: 'the environment that the record must be for' },
    key: { value: 'FILE', help: 'private key that signs the summary (PEM, ECDSA P-256)' },
    state: { value: 'DIR', help: "folder of the ledger (default .countersign, or the Project's ledger)" },
    ...POSTGRES_FLAG,
    out: { value: 'FILE', help: 'where the bundle is written' },
  },
  run,
};

async function run(args: Args, io: Io): Promise<ExitCode> {
  const [file, more] = args.positionals;
  const [key, out] = [args.text('key'), args.text('out')];
  if (file === undefined || more !== undefined || key === undefined || out === undefined)
    throw new UsageError(
      'one record, --key and --out are wanted',
      'countersign report vsa RECORD --trust FILE --key FILE --out FILE',
    );
  const reader = openYamlReader(findInstallation().toolchain);
  const stated = args.text('project');
  const place = ledgerPlace(args, findProject(stated, reader));
  const project = stated === undefined ? undefined : readProject(readSource(stated), reader);
  const environment = args.text('env');
  const { checks, proved } = proveRecord(readSource(file).bytes, trustOf(args.text('trust'), project), {
    at: io.now(),
    policyDigests: [],
    ...(environment === undefined ? {} : { environment }),
    ...(project === undefined ? {} : { projectDigest: project.digest }),
  });
  const failed = checks.filter(({ holds }) => !holds);
  if (proved === undefined || failed.length > 0) {
    for (const { name, detail } of failed) io.err(`no  ${name}: ${visible(detail)}\n`);
    io.out(`${visible(file)}: no summary, it does not hold as an allow\n`);
    return 1;
  }
  const { decided, verified } = proved;
  const signer = readSigner(readKeyPem(key, io));
  const statement = summaryOf(decided, verified.statement);
  const ledger = await openPlace(place, signer, io);
  try {
    const bundle = await ledger.append(await signStatement(statement, signer), signer);
    writeWhole(out, `${JSON.stringify(bundle)}\n`);
  } finally {
    await ledger.close();
  }
  io.out(`${visible(out)}: the summary of ${decided.id}\n`);
  return 0;
}
