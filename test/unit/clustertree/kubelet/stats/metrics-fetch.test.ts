import { expect } from 'chai';
import { fetchMetrics } from '../../../../../src/clustertree/kubelet/stats/metrics-fetch.js';
import { nodeMetrics, podMetrics } from '../../../../../src/kube/metrics-resources.js';
import type { ListOptions } from '../../../../../src/kube/client.js';
import { ownershipLabels } from '../../../../../src/clustertree/cluster/ownership.js';
import { FakeKubeClient } from '../../../../support/fake-kube-client.js';
import { apiError, OWNERSHIP } from '../../../../support/member-harness.js';

describe('fetchMetrics', () => {
  let client: FakeKubeClient;

  beforeEach(() => {
    client = new FakeKubeClient();
    client.seed(nodeMetrics, { metadata: { name: 'n1' } });
    client.seed(podMetrics, { metadata: { namespace: 'shop', name: 'web', labels: ownershipLabels(OWNERSHIP) } });
    client.seed(podMetrics, { metadata: { namespace: 'shop', name: 'foreign' } });
  });

  const names = (items: readonly { metadata?: { name?: string | undefined } | undefined }[] | undefined): unknown =>
    items?.map(({ metadata }) => metadata?.name);

  it('reads all nodes, and the pods that are ours', async () => {
    const { nodes, pods, problem } = await fetchMetrics(client, OWNERSHIP);
    expect([names(nodes), names(pods), problem]).to.deep.equal([['n1'], ['web'], undefined]);
  });

  it('gives up on a metrics API that hangs before whoever asks does', async () => {
    await fetchMetrics(client, OWNERSHIP);
    const limits = client.calls.map(({ options }) => (options as ListOptions).timeoutMs);
    expect(limits).to.deep.equal([8_000, 8_000]);
  });

  it('tells of each list that could not be read, and keeps the other', async () => {
    client.fail({ verb: 'list', type: podMetrics, error: apiError(500, 'InternalError', 'it broke') });
    const { nodes, pods, problem } = await fetchMetrics(client, OWNERSHIP);
    expect([names(nodes), pods]).to.deep.equal([['n1'], undefined]);
    expect(problem).to.equal('pods of metrics.k8s.io can not be read: it broke');
  });

  it('says only once what is true of both', async () => {
    client.fail({ verb: 'list', error: apiError(404, 'NotFound'), times: 2 });
    expect((await fetchMetrics(client, OWNERSHIP)).problem).to.equal('the member does not serve metrics.k8s.io');
  });
});
