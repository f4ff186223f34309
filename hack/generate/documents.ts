import { readFileSync } from 'node:fs';
import { renderPodFields } from './pod-fields-page.js';
import type { FieldExtract } from './pod-spec-fields.js';

/** A committed file whose text comes from the sources. */
export interface Document {
  /** From the root of the repository. */
  readonly path: string;
  readonly render: () => string;
}

/** The committed extract of an API server's OpenAPI document. */
export const POD_SPEC_FIELDS = 'hack/generate/pod-spec-fields.json';

export function readPodSpecFields(): FieldExtract {
  return JSON.parse(readFileSync(POD_SPEC_FIELDS, 'utf8')) as FieldExtract;
}

/** Everything that `npm run generate` writes; a unit test compares the files with it. */
export const DOCUMENTS: readonly Document[] = [
  { path: 'docs/reference/pod-fields.md', render: () => renderPodFields(readPodSpecFields().kubernetes) },
];
