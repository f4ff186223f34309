import { expect } from 'chai';
import { extractFields, fieldsOf, type OpenApi } from '../../../hack/generate/pod-spec-fields.js';

const ref = (name: string): { $ref: string } => ({ $ref: `#/components/schemas/${name}` });
const OPEN_API: OpenApi = {
  components: {
    schemas: {
      'io.k8s.api.core.v1.PodSpec': {
        properties: {
          hostname: { type: 'string' },
          containers: { type: 'array', items: { allOf: [ref('io.k8s.api.core.v1.Container')] } },
          nodeSelector: { type: 'object', additionalProperties: { type: 'string' } },
          overhead: { type: 'object', additionalProperties: ref('io.k8s.apimachinery.pkg.api.resource.Quantity') },
        },
      },
      'io.k8s.api.core.v1.Container': {
        properties: { name: { type: 'string' }, port: ref('io.k8s.IntOrString'), twin: ref('io.k8s.api.core.v1.Twin') },
      },
      'io.k8s.api.core.v1.Twin': { properties: { tty: { type: 'boolean' } } },
      'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'string' },
      'io.k8s.IntOrString': {},
      'io.k8s.Unused': { properties: { a: { type: 'string' } } },
    },
  },
};

describe('extractFields', () => {
  it('keeps the types that a pod spec reaches, sorted, and resolves simple ones', () => {
    expect(extractFields(OPEN_API, 'v1.99.0')).to.deep.equal({
      kubernetes: 'v1.99.0',
      types: {
        Container: { name: 'string', port: 'string', twin: 'Twin' },
        PodSpec: { containers: '[]Container', hostname: 'string', nodeSelector: '{}string', overhead: '{}string' },
        Twin: { tty: 'boolean' },
      },
    });
  });

  it('refuses a document of something else', () => {
    expect(() => extractFields({ components: { schemas: {} } }, 'v1')).to.throw('no io.k8s.api.core.v1.PodSpec');
  });
});

describe('fieldsOf', () => {
  it('lists every field, parents before children', () => {
    expect(fieldsOf(extractFields(OPEN_API, 'v1')).map(({ path, type }) => `${path} ${type}`)).to.deep.equal([
      'containers[] Container',
      'containers[].name string',
      'containers[].port string',
      'containers[].twin Twin',
      'containers[].twin.tty boolean',
      'hostname string',
      'nodeSelector{} string',
      'overhead{} string',
    ]);
  });
});
