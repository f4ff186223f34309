import { expect } from 'chai';
import type { NodeConfig, NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import type { LinkConnection } from '../../../../src/clusterlink/cluster/connection.js';
import { createDelivery, type NetworkPlan, type PlanListener } from '../../../../src/clusterlink/delivery/delivery.js';
import { nodeConfigs } from '../../../../src/kube/kosmos-resources.js';
import { LINKED, LinkHarness } from '../../../support/link-harness.js';
import { apiError } from '../../../support/member-harness.js';

/** A plan that the test makes. */
class FakePlan implements NetworkPlan {
  planned = true;
  readonly specs = new Map<string, NodeConfigSpec>();
  #listener: PlanListener = () => undefined;

  config(name: string): NodeConfigSpec | undefined {
    return this.specs.get(name);
  }

  namesOf(cluster: string): ReadonlySet<string> {
    return new Set(cluster === LINKED ? this.specs.keys() : []);
  }

  onChange(listener: PlanListener): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  set(specs: Readonly<Record<string, NodeConfigSpec | undefined>>): void {
    for (const [name, spec] of Object.entries(specs)) {
      if (spec === undefined) this.specs.delete(name);
      else this.specs.set(name, spec);
    }
    this.#listener('another', new Set(['x']));
    this.#listener(LINKED, new Set(Object.keys(specs)));
  }
}

function spec(nodeName: string, gateway: string, more: Partial<NodeConfigSpec> = {}): NodeConfigSpec {
  const candidates = [{ nodeName: gateway, ...(gateway === nodeName && { self: true }) }];
  return { clusterName: LINKED, nodeName, gateways: [{ clusterName: LINKED, candidates, cidrs: [] }], ...more };
}

describe('delivery of NodeConfigs', () => {
  let harness: LinkHarness;
  let plan: FakePlan;

  beforeEach(() => {
    harness = new LinkHarness();
    plan = new FakePlan();
  });

  afterEach(() => harness.end());

  async function lead(leaving = false): Promise<LinkConnection> {
    const { createController, clock } = harness;
    const connection = harness.connect({ leaving }, [createDelivery({ plan, createController, clock })]);
    harness.track(connection.lead(harness.signal));
    await harness.calm();
    await harness.calm();
    return connection;
  }

  const config = (node: string): NodeConfigSpec | undefined =>
    harness.client.peek(nodeConfigs, { name: `east-${node}` })?.spec;
  const writes = (): unknown =>
    harness.client.calls.flatMap(({ verb, ref, body }) => {
      const name = verb === 'create' ? (body as { metadata: { name: string } }).metadata.name : ref.name;
      return ['create', 'patch', 'delete'].includes(verb) ? [`${verb} ${name}`] : [];
    });

  /** As the agent of a node does when it has applied what there is. */
  function apply(node: string): void {
    const name = `east-${node}`;
    const observedGeneration = harness.client.peek(nodeConfigs, { name })?.metadata?.generation;
    harness.client.edit(nodeConfigs, { name }, { status: { observedGeneration } });
  }

  it('makes what is planned, and takes away what is not', async () => {
    harness.seedConfig('old');
    plan.set({ 'east-n1': spec('n1', 'n1') });
    await lead();
    expect(writes()).to.have.members(['create east-n1', 'delete east-old']);
    expect(config('n1')).to.deep.equal(spec('n1', 'n1'));
  });

  it('touches nothing before there is a plan', async () => {
    plan.planned = false;
    harness.seedConfig('n1');
    await lead();
    expect(writes()).to.deep.equal([]);
  });

  it('does nothing in a cluster that leaves', async () => {
    plan.set({ 'east-n1': spec('n1', 'n1') });
    await lead(true);
    expect(writes()).to.deep.equal([]);
  });

  it('writes only what differs, and nothing for mere reports', async () => {
    harness.seedConfig('n1', spec('n1', 'n1'));
    plan.set({ 'east-n1': spec('n1', 'n1') });
    await lead();
    apply('n1');
    await harness.calm();
    expect(writes()).to.deep.equal([]);
    plan.set({ 'east-n1': spec('n1', 'n1', { routes: [] }) });
    await harness.calm();
    expect(harness.client.callsOf({ verb: 'patch' }).map(({ body }) => (body as { spec: unknown }).spec)).to.deep.equal(
      [{ routes: [] }],
    );
  });

  it('puts back what somebody else changed or deleted', async () => {
    plan.set({ 'east-n1': spec('n1', 'n1') });
    await lead();
    harness.client.edit(nodeConfigs, { name: 'east-n1' }, { spec: { nodeName: 'n9' } });
    await harness.calm();
    expect(config('n1')?.nodeName).to.equal('n1');
    harness.client.erase(nodeConfigs, { name: 'east-n1' });
    await harness.calm();
    expect(config('n1')?.nodeName).to.equal('n1');
  });

  describe('at a hand-over', () => {
    beforeEach(async () => {
      plan.set({ 'east-a': spec('a', 'a'), 'east-b': spec('b', 'a'), 'east-c': spec('c', 'a') });
      await lead();
      harness.client.calls.length = 0;
      plan.set({ 'east-a': spec('a', 'b'), 'east-b': spec('b', 'b'), 'east-c': spec('c', 'b') });
      await harness.calm(500);
    });

    it('writes the new gateway first, and waits for its agent', () => {
      expect(writes()).to.deep.equal(['patch east-b']);
    });

    it('goes on when that has applied it, the old gateway last', async () => {
      apply('b');
      await harness.calm(1_000);
      expect(writes()).to.deep.equal(['patch east-b', 'patch east-c', 'patch east-a']);
    });

    it('goes on without its word after three seconds', async () => {
      await harness.calm(4_000);
      expect(writes()).to.have.members(['patch east-b', 'patch east-c', 'patch east-a']);
    });
  });

  describe('where somebody else has a NodeConfig of the name', () => {
    const FOREIGN: NodeConfig = { metadata: { name: 'east-n1' }, spec: { clusterName: 'east', nodeName: 'n1' } };
    const creates = (): number => harness.client.callsOf({ verb: 'create' }).length;

    it('says so, leaves it alone, and makes its own when that has gone', async () => {
      harness.client.seed(nodeConfigs, FOREIGN);
      plan.set({ 'east-n1': spec('n1', 'n1'), 'east-n2': spec('n2', 'n1') });
      const { obstacles } = await lead();
      expect(obstacles.list()).to.deep.equal([
        {
          reason: 'NameConflict',
          message:
            "NodeConfig east-n1 in the cluster is somebody else's (it has no label kosmos.io/host-cluster); " +
            'delete it there, or join under another name',
        },
      ]);
      expect(config('n1')).to.deep.equal(FOREIGN.spec);
      expect(config('n2')).to.deep.equal(spec('n2', 'n1'));
      harness.client.erase(nodeConfigs, { name: 'east-n1' });
      await harness.calm(10_000);
      expect(config('n1')).to.deep.equal(spec('n1', 'n1'));
      expect(obstacles.list()).to.deep.equal([]);
    });

    it('looks at it every ten seconds', async () => {
      harness.client.seed(nodeConfigs, FOREIGN);
      plan.set({ 'east-n1': spec('n1', 'n1') });
      await lead();
      expect(creates()).to.equal(1);
      for (let seconds = 0; seconds < 60; seconds += 1) await harness.calm(1_000);
      expect(creates()).to.be.within(6, 7);
    });

    it('names the host cluster whose it is', async () => {
      const labels = { 'kosmos.io/host-cluster': 'other-uid', 'kosmos.io/cluster': 'berlin' };
      harness.client.seed(nodeConfigs, { ...FOREIGN, metadata: { name: 'east-n1', labels } });
      plan.set({ 'east-n1': spec('n1', 'n1') });
      const { obstacles } = await lead();
      expect(obstacles.list()[0]?.message).to.include('made by the host cluster other-uid for its Cluster berlin');
    });

    it('says nothing more of it when the node is no longer wanted, or when it no longer leads', async () => {
      harness.client.seed(nodeConfigs, FOREIGN);
      harness.client.seed(nodeConfigs, { ...FOREIGN, metadata: { name: 'east-n2' } });
      plan.set({ 'east-n1': spec('n1', 'n1'), 'east-n2': spec('n2', 'n2') });
      const { createController, clock } = harness;
      const connection = harness.connect({}, [createDelivery({ plan, createController, clock })]);
      const term = new AbortController();
      const leading = connection.lead(term.signal);
      await harness.calm();
      expect(connection.obstacles.list()).to.have.length(2);
      plan.set({ 'east-n1': undefined });
      await harness.calm();
      expect(connection.obstacles.list().map(({ message }) => message.split(' ')[1])).to.deep.equal(['east-n2']);
      term.abort(new Error('another one leads'));
      await leading;
      expect(connection.obstacles.list()).to.deep.equal([]);
    });

    it('calls nobody a stranger whose object went away meanwhile', async () => {
      harness.client.fail({ verb: 'create', error: apiError(409, 'AlreadyExists') });
      plan.set({ 'east-n1': spec('n1', 'n1') });
      const { obstacles } = await lead();
      expect(obstacles.list()).to.deep.equal([]);
      expect(config('n1')).to.deep.equal(spec('n1', 'n1'));
    });
  });

  it('says what the API server refuses, and that it no longer does', async () => {
    const refusal = apiError(422, 'Invalid', 'spec.routes: too many');
    harness.client.fail({ verb: 'create', error: refusal, times: 3 });
    plan.set({ 'east-n1': spec('n1', 'n1') });
    const seen: string[] = [];
    const { createController, clock } = harness;
    const connection = harness.connect({}, [createDelivery({ plan, createController, clock })]);
    connection.onChange(() =>
      seen.push(
        connection.obstacles
          .list()
          .map(({ message }) => message)
          .join(),
      ),
    );
    harness.track(connection.lead(harness.signal));
    await harness.calm();
    await harness.calm();
    expect(seen).to.include("NodeConfig east-n1 can't be written: spec.routes: too many");
    expect(connection.obstacles.list()).to.deep.equal([]);
    expect(config('n1')).to.deep.equal(spec('n1', 'n1'));
  });

  it('looks again when the cache was behind', async () => {
    harness.seedConfig('n1', spec('n1', 'n2'));
    plan.set({ 'east-n1': spec('n1', 'n1'), 'east-n2': spec('n2', 'n1') });
    harness.client.fail({ verb: 'create', error: apiError(409, 'AlreadyExists') });
    harness.client.fail({ verb: 'patch', error: apiError(409, 'Conflict') });
    await lead();
    harness.client.edit(nodeConfigs, { name: 'east-n1' }, { spec: { peers: [] } });
    await harness.calm(2_000);
    expect([config('n1'), config('n2')]).to.deep.equal([spec('n1', 'n1'), spec('n2', 'n1')]);
  });
});
