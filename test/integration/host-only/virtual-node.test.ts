import { expect } from 'chai';
import type { LabCluster } from '../../../hack/lab/cluster.js';
import type { Lab } from '../../../hack/lab/lab.js';
import type { Node } from '../../../src/apis/core.js';
import type { VirtualNodeSpec } from '../../../src/clustertree/cluster/virtual-node-spec.js';
import { diffNode } from '../../../src/clustertree/node/diff.js';
import { MemberInventory } from '../../../src/clustertree/node/inventory.js';
import type { MemberNode } from '../../../src/clustertree/node/member-node.js';
import { trimNode } from '../../../src/clustertree/node/member-node.js';
import { desiredNode } from '../../../src/clustertree/node/model.js';
import { desiredNodeStatus, initialNodeStatus, nodeStatusPatch } from '../../../src/clustertree/node/status.js';
import { formatQuantity, parseQuantity } from '../../../src/lib/quantity.js';
import { memberNode, virtualNodes } from '../../support/member-objects.js';
import { sharedHost } from '../../support/shared-lab.js';

const NODES = '/api/v1/nodes';
const quiet = { now: '2026-01-01T00:10:00Z', heartbeatDue: false };

interface Wanted {
  readonly node: Node;
  readonly status: ReturnType<typeof desiredNodeStatus>;
}

function wanted(spec: VirtualNodeSpec, behind: readonly MemberNode[], addresses = ['198.18.0.9']): Wanted {
  const inventory = new MemberInventory();
  for (const node of behind) inventory.setNode(node);
  const facts = {
    clusterName: 'east',
    spec,
    behind,
    capacity: inventory.capacity(spec),
    memberVersion: 'v1.36.3',
    kubelet: { addresses, port: 10250 },
  };
  return { node: desiredNode(facts), status: desiredNodeStatus(facts) };
}

describe('virtual nodes on a real API server', () => {
  let lab: Lab;
  let host: LabCluster;

  const read = async (name: string): Promise<Node> => (await host.api.json('GET', `${NODES}/${name}`)) as Node;
  const create = async ({ node, status }: Wanted): Promise<void> => {
    const body = { ...node, status: initialNodeStatus(status, '2026-01-01T00:00:00Z') };
    await host.api.json('POST', `${NODES}?fieldValidation=Strict`, { body });
  };
  const patchNode = async (name: string, body: unknown): Promise<unknown> =>
    host.api.json('PATCH', `${NODES}/${name}`, { body, contentType: 'application/merge-patch+json' });
  const patchStatus = async (name: string, body: unknown): Promise<unknown> =>
    host.api.json('PATCH', `${NODES}/${name}/status?fieldValidation=Strict`, {
      body,
      contentType: 'application/strategic-merge-patch+json',
    });
  /** Sends what the diffs say, until they say nothing. */
  const converge = async (name: string, { node, status }: Wanted): Promise<Node> => {
    for (let round = 0; round < 5; round += 1) {
      const actual = await read(name);
      const change = diffNode(actual, node);
      const statusChange = nodeStatusPatch(actual, status, quiet);
      if (change === undefined && statusChange === undefined) return actual;
      if (change !== undefined) await patchNode(name, change).catch(ignoreConflict);
      if (statusChange !== undefined) await patchStatus(name, statusChange);
    }
    throw new Error(`node ${name} does not converge`);
  };

  before(async () => {
    lab = await sharedHost();
    host = lab.host;
  });

  it('are made with their status in one call', async () => {
    const want = wanted(virtualNodes.all, [memberNode('n1'), memberNode('n2')]);
    await create(want);
    const node = await read('kosmos-east');
    expect(node.status?.allocatable).to.deep.equal({ cpu: '8', memory: '16Gi', pods: '220' });
    expect(node.status?.addresses).to.deep.equal([{ type: 'InternalIP', address: '198.18.0.9' }]);
    expect(nodeStatusPatch(node, want.status, quiet)).to.be.undefined;
  });

  it('converge from one wish to another, while the node controller works on them too', async () => {
    const gold = { ...virtualNodes.all, labels: { tier: 'gold' } };
    const first = await converge('kosmos-east', wanted(gold, [memberNode('n1')]));
    expect(first.metadata?.labels?.['tier']).to.equal('gold');
    const bare = { ...virtualNodes.all, taints: [] };
    const second = await converge('kosmos-east', wanted(bare, [memberNode('n1', { pressure: ['DiskPressure'] })]));
    expect(second.metadata?.labels).not.to.have.property('tier');
    expect(second.spec?.taints?.some(({ key }) => key === 'kosmos.io/node') ?? false).to.be.false;
    expect(second.status?.conditions?.find(({ type }) => type === 'DiskPressure')?.status).to.equal('True');
  });

  it('keep what others wrote', async () => {
    await host.kubectl(['label', 'node', 'kosmos-east', 'team=a']);
    await host.kubectl(['annotate', 'node', 'kosmos-east', 'note=b']);
    await host.kubectl(['taint', 'node', 'kosmos-east', 'maintenance=soon:PreferNoSchedule']);
    await patchStatus('kosmos-east', { status: { conditions: [{ type: 'Mine', status: 'True' }] } });
    await converge('kosmos-east', wanted({ ...virtualNodes.all, labels: { x: 'y' } }, [memberNode('n1')]));
    const node = await converge('kosmos-east', wanted(virtualNodes.all, [memberNode('n2', { ready: 'False' })]));
    expect(node.metadata?.labels).to.include({ team: 'a' });
    expect(node.metadata?.annotations).to.include({ note: 'b' });
    expect(node.spec?.taints?.map(({ key }) => key)).to.include.members(['maintenance', 'kosmos.io/node']);
    expect(node.status?.conditions?.map(({ type }) => type)).to.include('Mine');
  });

  it('change to two families and back', async () => {
    const behind = [memberNode('n1')];
    const dual = await converge('kosmos-east', wanted(virtualNodes.all, behind, ['198.18.0.9', 'fd00::9']));
    expect(dual.status?.addresses?.map(({ address }) => address)).to.deep.equal(['198.18.0.9', 'fd00::9']);
    const single = await converge('kosmos-east', wanted(virtualNodes.all, behind, ['fd00::9']));
    expect(single.status?.addresses).to.deep.equal([{ type: 'InternalIP', address: 'fd00::9' }]);
  });

  it('lose resources that the member no longer has', async () => {
    const withGpu = memberNode('n1', { allocatable: { cpu: '4', 'nvidia.com/gpu': '2' } });
    const first = await converge('kosmos-east', wanted(virtualNodes.all, [withGpu]));
    expect(first.status?.capacity).to.deep.equal({ cpu: '4', 'nvidia.com/gpu': '2' });
    const second = await converge('kosmos-east', wanted(virtualNodes.all, [memberNode('n1')]));
    expect(second.status?.capacity).to.deep.equal({ cpu: '4', memory: '8Gi', pods: '110' });
  });

  it('refuse a change of taints that was computed from an older node', async () => {
    const stale = await read('kosmos-east');
    await host.kubectl(['taint', 'node', 'kosmos-east', 'other=x:PreferNoSchedule']);
    const change = diffNode(stale, wanted({ ...virtualNodes.all, taints: [] }, [memberNode('n1')]).node);
    const failure = await patchNode('kosmos-east', change).catch((error: unknown) => error);
    expect(failure).to.include({ status: 409 });
  });

  it('refuse a patch that means another node of the same name', async () => {
    const before = await read('kosmos-east');
    await host.api.json('DELETE', `${NODES}/kosmos-east`);
    await create(wanted(virtualNodes.all, [memberNode('n1')]));
    const { status } = wanted(virtualNodes.all, [memberNode('n1', { allocatable: { cpu: '1' } })]);
    const failure = await patchStatus('kosmos-east', nodeStatusPatch(before, status, quiet)).catch(
      (error: unknown) => error,
    );
    expect(failure).to.include({ status: 422 });
  });

  it('mirror a single node, cordon and all', async () => {
    const taints = [{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }];
    await create(wanted(virtualNodes.node, [memberNode('n1', { taints })]));
    const cordoned = await converge('n1', wanted(virtualNodes.node, [memberNode('n1', { unschedulable: true })]));
    expect(cordoned.spec?.unschedulable).to.be.true;
    expect(cordoned.spec?.taints?.map(({ key }) => key)).not.to.include('dedicated');
    const back = await converge('n1', wanted(virtualNodes.node, [memberNode('n1')]));
    expect(back.spec?.unschedulable).to.be.undefined;
  });

  it('show the amounts exactly as we write them', async () => {
    const name = 'amounts';
    await host.api.json('POST', NODES, {
      body: { metadata: { name }, status: { allocatable: { cpu: '0.1', memory: '1.5Gi' } } },
    });
    const stored = await read(name);
    expect(stored.status?.allocatable).to.deep.equal({
      cpu: formatQuantity(parseQuantity('0.1')),
      memory: formatQuantity(parseQuantity('1.5Gi')),
    });
    expect(trimNode(stored).allocatable.get('memory')).to.deep.equal(parseQuantity('1536Mi'));
  });
});

function ignoreConflict(error: unknown): void {
  if ((error as { readonly status?: number }).status !== 409) throw error;
}
