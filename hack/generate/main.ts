/**
 * Writes the generated documents. `--openapi FILE --kubernetes VERSION` first renews the extract of PodSpec's fields from
 * an API server's `/openapi/v3/api/v1` (or the file of that name in the Kubernetes sources).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { DOCUMENTS, POD_SPEC_FIELDS } from './documents.js';
import { extractFields, type OpenApi } from './pod-spec-fields.js';

const { values } = parseArgs({ options: { openapi: { type: 'string' }, kubernetes: { type: 'string' } } });
if (values.openapi !== undefined) {
  if (values.kubernetes === undefined) throw new Error('--openapi needs --kubernetes VERSION');
  const extract = extractFields(JSON.parse(readFileSync(values.openapi, 'utf8')) as OpenApi, values.kubernetes);
  writeFileSync(POD_SPEC_FIELDS, `${JSON.stringify(extract, undefined, 2)}\n`);
}
for (const document of DOCUMENTS) {
  mkdirSync(dirname(document.path), { recursive: true });
  writeFileSync(document.path, document.render());
  console.log(document.path);
}
