import { expect } from 'chai';
import { addressProblems, resolveKubeletAddresses } from '../../../../src/clustertree/node/kubelet-address.js';
import { isNotFound } from '../../../../src/kube/api-error.js';
import { services } from '../../../../src/kube/resource.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';

const { signal } = new AbortController();
const nothing = { addresses: [], service: '', podAddresses: [] };

describe('resolveKubeletAddresses', () => {
  let client: FakeKubeClient;

  beforeEach(() => {
    client = new FakeKubeClient();
  });

  function seedService(spec: object): void {
    client.seed(services, { metadata: { namespace: 'kosmos-system', name: 'manager' }, spec });
  }

  const fromService = { ...nothing, service: 'kosmos-system/manager', podAddresses: ['10.0.0.9'] };

  it('prefers what was given', async () => {
    const options = { ...fromService, addresses: ['198.18.0.1'] };
    expect(await resolveKubeletAddresses(client, options, signal)).to.deep.equal(['198.18.0.1']);
    expect(client.calls).to.have.length(0);
  });

  it('takes all cluster IPs of the Service', async () => {
    seedService({ clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00::7'] });
    expect(await resolveKubeletAddresses(client, fromService, signal)).to.deep.equal(['10.96.0.7', 'fd00::7']);
  });

  it('takes the single cluster IP of an older API server', async () => {
    seedService({ clusterIP: '10.96.0.7' });
    expect(await resolveKubeletAddresses(client, fromService, signal)).to.deep.equal(['10.96.0.7']);
  });

  it('refuses a headless Service', async () => {
    seedService({ clusterIP: 'None', clusterIPs: ['None'] });
    const error: unknown = await resolveKubeletAddresses(client, fromService, signal).catch(
      (reason: unknown) => reason,
    );
    expect(error)
      .to.be.instanceOf(Error)
      .with.property('message')
      .that.matches(/has no cluster IP/);
  });

  it('says so when the Service is missing', async () => {
    const error: unknown = await resolveKubeletAddresses(client, fromService, signal).catch(
      (reason: unknown) => reason,
    );
    expect(isNotFound(error)).to.equal(true);
  });

  it("falls back to the pod's own addresses", async () => {
    const options = { ...nothing, podAddresses: ['10.0.0.9'] };
    expect(await resolveKubeletAddresses(client, options, signal)).to.deep.equal(['10.0.0.9']);
  });

  it('names the options when there is nothing at all', async () => {
    const error: unknown = await resolveKubeletAddresses(client, nothing, signal).catch((reason: unknown) => reason);
    expect(error).to.have.property('retry', 'never');
    expect(error)
      .to.have.property('message')
      .that.matches(/--kubelet-address, --kubelet-service/);
  });
});

describe('addressProblems', () => {
  it('accepts one address of each family', () => {
    expect(addressProblems(['198.18.0.1', '2001:db8::1'])).to.deep.equal([]);
  });

  it('names each text that is no address', () => {
    expect(addressProblems(['a', '198.18.0.1', '1.2.3'])).to.have.length(2);
  });
});
