import { expect } from 'chai';
import { readPodSpecFields } from '../../../hack/generate/documents.js';
import { extractFields, fieldsOf, type OpenApi } from '../../../hack/generate/pod-spec-fields.js';
import type { Lab } from '../../../hack/lab/lab.js';
import { sharedHost } from '../../support/shared-lab.js';

describe("the extract of a pod's fields, compared with a real API server", () => {
  let lab: Lab;
  before(async () => {
    lab = await sharedHost();
  });
  it('has every field that the API server has, of the same type', async () => {
    const openApi = (await lab.host.api.json('GET', '/openapi/v3/api/v1')) as OpenApi;
    const known = new Map(fieldsOf(readPodSpecFields()).map(({ path, type }) => [path, type]));
    const served = fieldsOf(extractFields(openApi, 'served'));
    expect(served.length).to.be.greaterThan(1000);
    const unknown = served.filter(({ path, type }) => known.get(path) !== type);
    expect(unknown, 'renew the extract: npm run generate -- --openapi FILE --kubernetes VERSION').to.deep.equal([]);
  });
});
