// SPDX-License-Identifier: Apache-2.0
import type { CustomKind, Environment, ProjectIssuer } from './project.ts';

/** What is declared twice, and where: which of the two holds would be a matter of order. */
export function declaredTwice({
  issuers = [],
  customKinds = [],
  environments = [],
}: {
  readonly issuers?: readonly ProjectIssuer[];
  readonly customKinds?: readonly CustomKind[];
  readonly environments?: readonly Pick<Environment, 'attestations'>[];
}): readonly { readonly message: string; readonly pointer: string }[] {
  const kinds = customKinds.map(({ group, kind }) => `${group}/${kind}`);
  return [
    ...environments.flatMap(({ attestations }, index) =>
      attestations?.trustedRoot === undefined || attestations.tuf === undefined
        ? []
        : [
            {
              message: 'the trusted root is named twice: as a file, and under tuf',
              pointer: `/environments/${index}/attestations/tuf`,
            },
          ],
    ),
    ...repeated(kinds).map(({ value, index }) => ({
      message: `the scope of ${JSON.stringify(value)} is stated twice`,
      pointer: `/customKinds/${index}`,
    })),
    ...(['name', 'issuer'] as const).flatMap((member) =>
      repeated(issuers.map((issuer) => issuer[member])).map(({ value, index }) => ({
        message: `${member} ${JSON.stringify(value)} of an issuer is declared twice`,
        pointer: `/issuers/${index}/${member}`,
      })),
    ),
  ];
}

const repeated = (values: readonly string[]): readonly { readonly value: string; readonly index: number }[] =>
  values.flatMap((value, index) => (values.indexOf(value) === index ? [] : [{ value, index }]));
