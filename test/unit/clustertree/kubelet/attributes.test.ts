import { expect } from 'chai';
import { accessAttributes } from '../../../../src/clustertree/kubelet/attributes.js';

describe('accessAttributes', () => {
  const cases: readonly (readonly [method: string, path: string, verb: string, subresources: readonly string[]])[] = [
    ['GET', '/containerLogs/default/web/main', 'get', ['proxy']],
    ['GET', '/pods', 'get', ['pods', 'proxy']],
    ['GET', '/pods/x', 'get', ['pods', 'proxy']],
    ['GET', '/podsx', 'get', ['proxy']],
    ['GET', '/runningpods/', 'get', ['pods', 'proxy']],
    ['GET', '/healthz', 'get', ['healthz', 'proxy']],
    ['GET', '/healthz/ping', 'get', ['healthz', 'proxy']],
    ['GET', '/configz', 'get', ['configz', 'proxy']],
    ['GET', '/stats/summary', 'get', ['stats']],
    ['POST', '/stats/summary', 'create', ['stats']],
    ['GET', '/metrics', 'get', ['metrics']],
    ['GET', '/metrics/resource', 'get', ['metrics']],
    ['GET', '/metricsx', 'get', ['proxy']],
    ['GET', '/logs/', 'get', ['log']],
    ['GET', '/checkpoint/a/b/c', 'get', ['checkpoint']],
    ['GET', '/statusz', 'get', ['statusz']],
    ['GET', '/flagz', 'get', ['configz']],
    ['GET', '/unknown', 'get', ['proxy']],
    ['GET', '/STATS/summary', 'get', ['proxy']],
    ['PUT', '/pods', 'update', ['pods', 'proxy']],
    ['PATCH', '/pods', 'patch', ['pods', 'proxy']],
    ['DELETE', '/pods', 'delete', ['pods', 'proxy']],
    ['OPTIONS', '/pods', '', ['pods', 'proxy']],
  ];
  for (const [method, path, verb, subresources] of cases) {
    it(`asks for "${verb}" on ${subresources.join(' or ')} for ${method} ${path}`, () => {
      expect(accessAttributes(method, path, false)).to.deep.equal({ verb, subresources });
    });
  }

  it('asks for "create" for a session, however it is opened', () => {
    for (const method of ['GET', 'POST']) {
      const wanted = { verb: 'create', subresources: ['proxy'] };
      expect(accessAttributes(method, '/exec/default/web/main', true)).to.deep.equal(wanted);
    }
  });
});
