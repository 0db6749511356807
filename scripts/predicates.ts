// SPDX-License-Identifier: Apache-2.0
// Writes what follows from the schemas of our predicates: a validator each, since threads that judge must not load ajv (its
// compiler takes 150 ms and some MiB of each), and the published copies in docs/schemas. test/predicates.test.ts fails where they are stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { default as standaloneCode } from 'ajv/dist/standalone/index.js';

const ROOT = resolve(import.meta.dirname, '..');
const SCHEMAS = [
  { source: 'engine/record/decision.schema.json', published: 'docs/schemas/deployment-decision-v1.json' },
];

/** Every file that follows from the schemas, by its path from the root. */
export function predicateFiles(): ReadonlyMap<string, string> {
  return new Map(
    SCHEMAS.flatMap(({ source, published }) => {
      const text = readFileSync(join(ROOT, source), 'utf8');
      const validator = source.replace(/\.schema\.json$/, '.validate.js');
      return [
        [published, text],
        [validator, validatorOf(JSON.parse(text), source)],
      ] as const;
    }),
  );
}

function validatorOf(schema: object, source: string): string {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    validateFormats: false,
    code: { source: true, esm: true },
  });
  const code = standaloneCode.default(ajv, ajv.compile(schema));
  if (/\brequire\(|\bimport /.test(code))
    throw new Error(`${source} has a keyword that needs ajv at run time`);
  const named = code.replace(/export default \w+;/, '');
  return `// SPDX-License-Identifier: Apache-2.0\n// Generated from ${source} by npm run predicates.\n${named}\n`;
}

if (process.argv[1] === import.meta.filename)
  for (const [path, text] of predicateFiles()) writeFileSync(join(ROOT, path), text);
