import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DOCUMENTS } from '../../../hack/generate/documents.js';

describe('generated documents', () => {
  for (const { path, render } of DOCUMENTS) {
    it(`${path} is what the sources say (else run npm run generate)`, () => {
      expect(readFileSync(path, 'utf8')).to.equal(render());
    });
  }
});
