import { expect } from 'chai';
import type { NodeConfig } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { reportsOn } from '../../../../src/clusterlink/cluster/reports-on.js';
import { weighReports } from '../../../../src/clusterlink/elector/evidence.js';
import { nodeConfig } from '../../../support/link-objects.js';

const peer = (name: string, reachable: boolean): { name: string; ip: string; reachable: boolean } => ({
  ...{ name, ip: '220.18.1.11', reachable },
});

function probing(node: string, ...peers: readonly ReturnType<typeof peer>[]): NodeConfig {
  return nodeConfig('east', node, {}, { peers });
}

function going(node: string, active: string, more: { planned?: string; observed?: number } = {}): NodeConfig {
  const { planned = 'a', observed = 1 } = more;
  const candidates = [{ nodeName: planned }, { nodeName: 'b' }];
  return nodeConfig(
    'east',
    node,
    { gateways: [{ clusterName: 'east', candidates, cidrs: [] }] },
    { observedGeneration: observed, activeGateways: [{ clusterName: 'east', nodeName: active }] },
  );
}

describe('what agents say of the nodes of a cluster', () => {
  it('is nothing when nobody probes them', () => {
    const evidence = weighReports('east', [nodeConfig('east', 'x'), probing('x', peer('west/a', false))]);
    expect(evidence.reachability('a')).to.equal(undefined);
    expect(evidence.switchedTo('a')).to.equal(undefined);
  });

  it('is what most of them say', () => {
    const one = probing('x', peer('east/a', false), peer('east/b', true));
    const two = probing('y', peer('east/a', false), peer('east/b', true));
    const three = probing('z', peer('east/a', true), peer('east/b', false));
    const evidence = weighReports('east', [one, two, three]);
    expect([evidence.reachability('a'), evidence.reachability('b')]).to.deep.equal(['unreachable', 'reachable']);
  });

  it('is nothing when as many say one thing as the other', () => {
    const evidence = weighReports('east', [probing('x', peer('east/a', true)), probing('y', peer('east/a', false))]);
    expect(evidence.reachability('a')).to.equal(undefined);
  });

  it('counts a peer once, and as reachable when it answers in one of two families', () => {
    const both = probing('x', peer('east/a', false), peer('east/a', true));
    expect(weighReports('east', [both]).reachability('a')).to.equal('reachable');
  });

  it('is which gateway most of them have gone to', () => {
    const reports = [going('x', 'b'), going('y', 'b'), going('z', 'a')];
    expect(weighReports('east', reports).switchedTo('a')).to.equal('b');
  });

  it('is nothing new while most go through the present gateway, or there is a draw', () => {
    expect(weighReports('east', [going('x', 'a'), going('y', 'a'), going('z', 'b')]).switchedTo('a')).to.equal(
      undefined,
    );
    expect(weighReports('east', [going('x', 'a'), going('y', 'b')]).switchedTo('a')).to.equal(undefined);
    expect(weighReports('east', [going('x', 'b')]).switchedTo(undefined)).to.equal(undefined);
  });

  it('does not count agents that have not heard of the present gateway yet', () => {
    const outdated = going('x', 'b', { planned: 'c' });
    const behind = going('y', 'b', { observed: 0 });
    expect(weighReports('east', [outdated, behind]).switchedTo('a')).to.equal(undefined);
  });
});

describe('the clusters that a report is about', () => {
  it('are those that the agent probes, and those whose gateways it uses', () => {
    const config = nodeConfig(
      'east',
      'x',
      {},
      {
        peers: [peer('west/a', true), peer('west/b', true), peer('nonsense', true)],
        activeGateways: [{ clusterName: 'south', nodeName: 'a' }],
      },
    );
    expect(reportsOn(config)).to.deep.equal(['west', '', 'south']);
    expect(reportsOn(nodeConfig('east', 'x'))).to.deep.equal([]);
  });
});
