import { expect } from 'chai';
import type { NodeConfig } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { Heartbeat } from '../../../../src/clusterlink/agent/heartbeat.js';
import { leases } from '../../../../src/kube/resource.js';
import { silentLogger } from '../../../../src/lib/logger.js';
import { FakeClock } from '../../../support/fake-clock.js';
import { FakeKubeClient } from '../../../support/fake-kube-client.js';
import { apiError } from '../../../support/member-harness.js';

const REF = { namespace: 'links', name: 'kosmos-agent-n1' };
const LABELS = { 'kosmos.io/host-cluster': 'host-uid', 'kosmos.io/cluster': 'east' };

function config(uid: string): NodeConfig {
  return { metadata: { name: 'east-n1', uid, labels: { ...LABELS, 'kosmos.io/owner': '0123', other: 'x' } }, spec: {} };
}

describe('Heartbeat', () => {
  let clock: FakeClock;
  let client: FakeKubeClient;
  let current: NodeConfig | undefined;
  let warnings: string[];
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    clock = new FakeClock();
    client = new FakeKubeClient();
    current = config('uid-1');
    warnings = [];
    stop = new AbortController();
    const warn = (_message: string, fields?: object): number => warnings.push(JSON.stringify(fields));
    const logger = { ...silentLogger, warn };
    const namespace = 'links';
    running = new Heartbeat({ client, current: () => current, namespace, nodeName: 'n1', clock, logger }).run(
      stop.signal,
    );
    await clock.advance(0);
  });

  afterEach(async () => {
    stop.abort();
    await running;
  });

  const renewTime = (): string | undefined => client.peek(leases, REF)?.spec?.renewTime;

  it('makes a Lease that belongs to the config, and that the manager finds', () => {
    const lease = client.peek(leases, REF);
    expect(lease?.spec).to.deep.include({ holderIdentity: 'n1', leaseDurationSeconds: 40 });
    expect(lease?.metadata?.labels).to.deep.equal(LABELS);
    expect(lease?.metadata?.ownerReferences).to.deep.equal([
      { apiVersion: 'kosmos.io/v1alpha1', kind: 'NodeConfig', name: 'east-n1', uid: 'uid-1' },
    ]);
  });

  it('renews it every ten seconds, with one call', async () => {
    const first = renewTime();
    client.calls.length = 0;
    await clock.advance(9_000);
    expect(renewTime()).to.equal(first);
    await clock.advance(1_000);
    expect(renewTime()).to.not.equal(first);
    await clock.advance(20_000);
    expect(client.calls.map(({ verb }) => verb)).to.deep.equal(['patch', 'patch', 'patch']);
  });

  it('makes it again when somebody has removed it', async () => {
    client.erase(leases, REF);
    await clock.advance(10_000);
    expect(renewTime()).to.be.a('string');
  });

  it('stops without a config: a node that is not linked has no Lease', async () => {
    current = undefined;
    client.calls.length = 0;
    client.erase(leases, REF);
    await clock.advance(60_000);
    expect(client.calls).to.deep.equal([]);
    expect(client.peek(leases, REF)).to.equal(undefined);
  });

  it('belongs to the config that there is now', async () => {
    current = config('uid-2');
    await clock.advance(10_000);
    expect(client.peek(leases, REF)?.metadata?.ownerReferences?.map(({ uid }) => uid)).to.deep.equal(['uid-2']);
  });

  it('says once why it can not be renewed, goes on trying, and says it anew after it could', async () => {
    const forbid = (times: number): void => client.fail({ verb: 'patch', error: apiError(403, 'Forbidden'), times });
    forbid(3);
    await clock.advance(30_000);
    expect(warnings).to.have.length(1);
    const before = renewTime();
    await clock.advance(10_000);
    expect(renewTime()).to.not.equal(before);
    forbid(1);
    await clock.advance(10_000);
    expect(warnings).to.have.length(2);
  });

  it('is content when another agent was faster', async () => {
    client.erase(leases, REF);
    client.fail({ verb: 'create', error: apiError(409, 'AlreadyExists') });
    await clock.advance(10_000);
    expect(warnings).to.deep.equal([]);
  });
});
