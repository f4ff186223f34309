import { expect } from 'chai';
import fc from 'fast-check';
import type { Service } from '../../../../src/apis/core.js';
import { serviceEnvironment } from '../../../../src/clustertree/pod/service-env.js';

type Ports = NonNullable<NonNullable<Service['spec']>['ports']>;

function service(
  namespace: string,
  name: string,
  clusterIP: string | undefined,
  ports: Ports = [{ port: 80 }],
): Service {
  return { metadata: { namespace, name }, spec: { clusterIP, ports } };
}

const KUBERNETES = service('default', 'kubernetes', '10.96.0.1', [{ name: 'https', port: 443, protocol: 'TCP' }]);
const LINKS = { namespace: 'shop', links: true };

function values(services: readonly Service[], options = LINKS): Record<string, string | undefined> {
  return Object.fromEntries(serviceEnvironment(services, options).map(({ name, value }) => [name, value]));
}

describe('serviceEnvironment', () => {
  it('gives the variables of the host API server as a kubelet does', () => {
    expect(serviceEnvironment([KUBERNETES], { namespace: 'shop', links: false })).to.deep.equal([
      { name: 'KUBERNETES_SERVICE_HOST', value: '10.96.0.1' },
      { name: 'KUBERNETES_SERVICE_PORT', value: '443' },
      { name: 'KUBERNETES_SERVICE_PORT_HTTPS', value: '443' },
      { name: 'KUBERNETES_PORT', value: 'tcp://10.96.0.1:443' },
      { name: 'KUBERNETES_PORT_443_TCP', value: 'tcp://10.96.0.1:443' },
      { name: 'KUBERNETES_PORT_443_TCP_PROTO', value: 'tcp' },
      { name: 'KUBERNETES_PORT_443_TCP_PORT', value: '443' },
      { name: 'KUBERNETES_PORT_443_TCP_ADDR', value: '10.96.0.1' },
    ]);
  });

  it("adds the services of the pod's namespace only with service links", () => {
    const services = [KUBERNETES, service('shop', 'db', '10.96.0.9')];
    expect(values(services)).to.include({ DB_SERVICE_HOST: '10.96.0.9', DB_SERVICE_PORT: '80' });
    expect(values(services, { namespace: 'shop', links: false })).not.to.have.property('DB_SERVICE_HOST');
  });

  it('leaves services of other namespaces out', () => {
    expect(values([service('bank', 'db', '10.96.0.9')])).to.deep.equal({});
    expect(values([service('default', 'web', '10.96.0.9')])).to.deep.equal({});
  });

  for (const address of ['None', '', undefined]) {
    it(`leaves out a service with the cluster address ${JSON.stringify(address)}`, () => {
      expect(values([service('shop', 'db', address)])).to.deep.equal({});
    });
  }

  it('leaves out a service without ports', () => {
    expect(values([service('shop', 'db', '10.96.0.9', [])])).to.deep.equal({});
    expect(values([{ metadata: { namespace: 'shop', name: 'db' }, spec: { clusterIP: '10.96.0.9' } }])).to.deep.equal(
      {},
    );
  });

  it('leaves out what is no whole Service', () => {
    expect(values([{}, { metadata: { namespace: 'shop', name: 'db' } }])).to.deep.equal({});
  });

  it('names the first port twice and every named port once', () => {
    const ports: Ports = [
      { name: 'http', port: 80 },
      { name: 'dns-udp', port: 53, protocol: 'UDP' },
    ];
    expect(values([service('shop', 'my-db', '10.96.0.9', ports)])).to.include({
      MY_DB_SERVICE_PORT: '80',
      MY_DB_SERVICE_PORT_HTTP: '80',
      MY_DB_SERVICE_PORT_DNS_UDP: '53',
      MY_DB_PORT: 'tcp://10.96.0.9:80',
      MY_DB_PORT_53_UDP: 'udp://10.96.0.9:53',
      MY_DB_PORT_53_UDP_PROTO: 'udp',
    });
  });

  it('puts IPv6 addresses of URLs in brackets', () => {
    expect(values([service('shop', 'db', 'fd00::9')])).to.include({
      DB_SERVICE_HOST: 'fd00::9',
      DB_PORT: 'tcp://[fd00::9]:80',
      DB_PORT_80_TCP_ADDR: 'fd00::9',
    });
  });

  it("lets a service named kubernetes of the pod's namespace win, in any order", () => {
    const own = service('shop', 'kubernetes', '10.96.0.7');
    for (const services of [
      [own, KUBERNETES],
      [KUBERNETES, own],
    ]) {
      expect(values(services)).to.include({ KUBERNETES_SERVICE_HOST: '10.96.0.7' });
    }
  });

  it('prefers the given address of the host API server', () => {
    const options = { ...LINKS, hostApi: { host: 'api.example.org', port: 6443 } };
    expect(values([KUBERNETES], options)).to.include({
      KUBERNETES_SERVICE_HOST: 'api.example.org',
      KUBERNETES_SERVICE_PORT: '6443',
      KUBERNETES_SERVICE_PORT_HTTPS: '6443',
    });
  });

  it('notices that a service has changed, which is another object then', () => {
    const db = service('shop', 'db', '10.96.0.9');
    expect(values([db]))
      .to.deep.equal(values([db]))
      .and.include({ DB_SERVICE_HOST: '10.96.0.9' });
    expect(values([service('shop', 'db', '10.96.0.8')])).to.include({ DB_SERVICE_HOST: '10.96.0.8' });
  });

  it('leaves out names that older API servers refuse', () => {
    expect(values([service('shop', '9lives', '10.96.0.9')])).to.deep.equal({});
  });

  it('gives the same list for the same services in any order', () => {
    const names = fc.uniqueArray(fc.constantFrom('a', 'b-c', 'b', 'db', 'web', 'z'), { minLength: 1 });
    fc.assert(
      fc.property(names, fc.infiniteStream(fc.double({ noNaN: true })), (chosen, stream) => {
        const services = chosen.map((name, index) => service('shop', name, `10.0.0.${index}`));
        const shuffled = [...services].sort(() => (stream.next().value ?? 0) - 0.5);
        expect(serviceEnvironment(shuffled, LINKS)).to.deep.equal(serviceEnvironment(services, LINKS));
      }),
    );
  });
});
