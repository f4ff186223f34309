import { expect } from 'chai';
import type { NodeConfig } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import type { Candidate } from '../../../../src/clusterlink/elector/choose.js';
import type { Verdict } from '../../../../src/clusterlink/elector/evidence.js';
import { LifeSigns } from '../../../../src/clusterlink/elector/life-signs.js';
import { linkNode, nodeConfig } from '../../../support/link-objects.js';

const NODE = linkNode('n1');
const FIRST = nodeConfig('east', 'n1', {}, { observedGeneration: 1, lastSyncTime: '2026-01-01T00:00:00Z' });
const LATER = nodeConfig('east', 'n1', {}, { observedGeneration: 2, lastSyncTime: '2026-01-01T00:00:00Z' });

describe('the health of a gateway', () => {
  let signs: LifeSigns;

  beforeEach(() => {
    signs = new LifeSigns();
  });

  const health = (verdict: Verdict, config: NodeConfig | undefined, silent = false): Candidate['health'] =>
    signs.healthOf(NODE, { verdict, silent, config });

  it('is what those say who probe it', () => {
    expect(health('reachable', FIRST)).to.equal('healthy');
    expect(health('unreachable', FIRST)).to.equal('unhealthy');
    expect(health('reachable', FIRST)).to.equal('healthy');
  });

  it('is unknown as long as nobody probes it', () => {
    expect(health(undefined, FIRST)).to.equal('unknown');
    expect(health(undefined, undefined)).to.equal('unknown');
  });

  it('is bad when the kubelet says so, whoever reaches the node', () => {
    const node = linkNode('n1', { ready: 'False' });
    expect(signs.healthOf(node, { verdict: 'reachable', silent: false, config: FIRST })).to.equal('unhealthy');
  });

  it('is bad when the kubelet is silent, but not while others reach the node, as after an outage of the API server', () => {
    const node = linkNode('n1', { ready: 'Unknown' });
    const of = (verdict: Verdict): Candidate['health'] =>
      signs.healthOf(node, { verdict, silent: false, config: FIRST });
    expect([of(undefined), of('reachable'), of('unreachable')]).to.deep.equal(['unhealthy', 'healthy', 'unhealthy']);
  });

  it('stays bad when nobody probes a dead node any more', () => {
    health('unreachable', FIRST);
    expect(health(undefined, FIRST)).to.equal('unhealthy');
    expect(health(undefined, FIRST)).to.equal('unhealthy');
  });

  it('is unknown again when the agent of a dead node says something, and good when probes are answered', () => {
    health('unreachable', FIRST);
    expect(health(undefined, LATER)).to.equal('unknown');
    expect(health('reachable', LATER)).to.equal('healthy');
    expect(health(undefined, FIRST)).to.equal('unknown');
  });

  it('is bad when nobody probes a node whose agent is silent, as long as it is', () => {
    expect(health(undefined, FIRST, true)).to.equal('unhealthy');
    expect(health('unreachable', FIRST, true)).to.equal('unhealthy');
    expect(health('reachable', FIRST, true)).to.equal('healthy');
    expect(health(undefined, FIRST)).to.equal('unknown');
  });

  it('is forgotten with the node', () => {
    health('unreachable', FIRST);
    signs.keep(new Map([['n1', NODE]]));
    expect(health(undefined, FIRST)).to.equal('unhealthy');
    signs.keep(new Map());
    expect(health(undefined, FIRST)).to.equal('unknown');
  });
});
