import { expect } from 'chai';
import type { NodeConfig } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { hasApplied, linkCondition, type LinkState } from '../../../../src/clusterlink/cluster/link-condition.js';
import type { Obstacle } from '../../../../src/clusterlink/cluster/obstacles.js';
import { linkStatusPatch, type LinkReport } from '../../../../src/clusterlink/cluster/link-status.js';
import { linkedCluster, nodeConfig } from '../../../support/link-objects.js';

const NOW = '2026-01-01T00:00:00Z';
const applied = (node: string, more: object = {}): NodeConfig =>
  nodeConfig('east', node, { devices: [] }, { observedGeneration: 1, ...more });

function state(more: Partial<LinkState> = {}): LinkState {
  return {
    ...{ invalid: undefined, connected: true, synced: true, problem: undefined, missing: [], planProblems: [] },
    ...{ obstacles: [], silent: [] },
    ...{ nodes: ['n1', 'n2'], planned: new Set(['n1', 'n2']), needsGateway: false, gateway: undefined },
    configs: new Map([
      ['n1', applied('n1')],
      ['n2', applied('n2')],
    ]),
    ...more,
  };
}

describe('the condition of a link', () => {
  const configs = (n2: NodeConfig): Partial<LinkState> => ({
    configs: new Map([
      ['n1', applied('n1')],
      ['n2', n2],
    ]),
  });
  const table: readonly (readonly [string, Partial<LinkState>, string, string, RegExp])[] = [
    ['all is well', {}, 'True', 'Linked', /2 nodes/],
    [
      'there is no way to connect',
      { invalid: { reason: 'InvalidKubeconfig', message: 'bad' }, connected: false },
      ...(['False', 'InvalidKubeconfig', /bad/] as const),
    ],
    ['it is not connected yet', { connected: false, synced: false }, 'Unknown', 'Connecting', /not known yet/],
    ['its caches are not full', { synced: false }, 'Unknown', 'Connecting', /not known yet/],
    ['it refuses a list', { problem: 'forbidden' }, 'Unknown', 'ListFailed', /forbidden/],
    ['it tells no ranges', { missing: ['no pods', 'no services'] }, 'False', 'CIDRsMissing', /no pods; no services/],
    ['the plan has a problem', { planProblems: ['east and west overlap'] }, 'False', 'PlanProblem', /overlap/],
    ['it has no nodes', { nodes: [] }, 'False', 'NoNodes', /no node/],
    ['an agent has not reported', { planned: new Set(['n1']) }, 'False', 'NodesNotDetected', /agents of n2 to/],
    ['it has no gateway', { needsGateway: true }, 'False', 'NoGateway', /no node can be/],
    ['it has its gateway', { needsGateway: true, gateway: 'n1' }, 'True', 'Linked', /2 nodes/],
    [
      'an agent is behind',
      configs(nodeConfig('east', 'n2', { devices: [] }, { observedGeneration: 0 })),
      ...(['False', 'NodesNotReady', /^n2 have not applied/] as const),
    ],
    [
      'an agent has errors',
      configs(applied('n2', { errors: ['route: EINVAL', 'more'] })),
      ...(['False', 'NodesNotReady', /n2: route: EINVAL$/] as const),
    ],
  ];
  const conflict = (name: string): Obstacle => ({ reason: 'NameConflict', message: `${name} is somebody else's` });
  const refused: Obstacle = { reason: 'WriteFailed', message: 'c is too large' };
  const obstacles: typeof table = [
    ['an object is refused', { obstacles: [refused] }, 'False', 'WriteFailed', /^c is too large$/],
    [
      'somebody has names of ours, whatever else is refused',
      { obstacles: [conflict('a'), refused, conflict('b')] },
      ...(['False', 'NameConflict', /^a is somebody else's; b is somebody else's$/] as const),
    ],
    [
      'somebody has many names of ours',
      { obstacles: ['a', 'b', 'c', 'd', 'e'].map(conflict) },
      ...(['False', 'NameConflict', /^a .*; b .*; c is somebody else's; and 2 more$/] as const),
    ],
    [
      'a node waits only for what is refused',
      { obstacles: [refused], planned: new Set(['n1']) },
      ...(['False', 'WriteFailed', /too large/] as const),
    ],
    [
      'the plan itself has a problem as well',
      { obstacles: [refused], planProblems: ['east and west overlap'] },
      ...(['False', 'PlanProblem', /overlap/] as const),
    ],
  ];
  const silent: readonly (readonly [string, Partial<LinkState>, string, string, RegExp])[] = [
    ['an agent is silent', { silent: ['n2'] }, 'False', 'AgentsSilent', /agents of n2 no longer renew/],
    [
      'the one agent that is behind is silent, as a gateway that died is',
      { ...configs(nodeConfig('east', 'n2', { devices: [] }, { observedGeneration: 0 })), silent: ['n2'] },
      ...(['False', 'AgentsSilent', /agents of n2 no longer renew/] as const),
    ],
    [
      'an agent is behind and another one silent',
      { ...configs(nodeConfig('east', 'n2', { devices: [] }, { observedGeneration: 0 })), silent: ['n1'] },
      ...(['False', 'NodesNotReady', /^n2 have not applied/] as const),
    ],
  ];
  for (const [what, more, status, reason, message] of [...table, ...obstacles, ...silent]) {
    it(`is ${reason} when ${what}`, () => {
      const condition = linkCondition(state(more));
      expect([condition.status, condition.reason]).to.deep.equal([status, reason]);
      expect(condition.message).to.match(message);
    });
  }

  it('names a few nodes, and counts the others', () => {
    const nodes = ['n7', 'n6', 'n5', 'n4', 'n3', 'n2', 'n1'];
    const { message } = linkCondition(state({ nodes, planned: new Set() }));
    expect(message).to.include('n1, n2, n3, n4, n5 and 2 more');
  });

  it('counts a node only when its agent has applied everything without an error', () => {
    expect(hasApplied(applied('n1'))).to.equal(true);
    expect(hasApplied(applied('n1', { errors: ['x'] }))).to.equal(false);
    expect(hasApplied(undefined)).to.equal(false);
    expect(hasApplied({ spec: {}, status: {} })).to.equal(false);
  });
});

describe('the status of a link', () => {
  const LINK: LinkReport = {
    condition: { status: 'True', reason: 'Linked', message: 'well' },
    podCIDRs: ['10.10.0.0/16'],
    serviceCIDRs: ['10.11.0.0/16'],
    nodes: { ready: 1, total: 2 },
    gateways: { gateway: 'n1', standbys: ['n2'] },
  };
  const foreign = { type: 'Ready', status: 'True', reason: 'AllWell', message: '', lastTransitionTime: NOW } as const;

  it('is written as a whole at first, beside what others say', () => {
    const cluster = { ...linkedCluster('east'), status: { conditions: [foreign] } };
    expect(linkStatusPatch(cluster, LINK, NOW)).to.deep.equal({
      metadata: { uid: 'east-uid', resourceVersion: '7' },
      status: {
        conditions: [
          {
            ...{ type: 'ClusterLinkReady', status: 'True', reason: 'Linked', message: 'well' },
            ...{ lastTransitionTime: NOW, observedGeneration: 1 },
          },
          foreign,
        ],
        clusterLinkStatus: {
          ...{ podCIDRs: ['10.10.0.0/16'], serviceCIDRs: ['10.11.0.0/16'], gateway: 'n1', standbyGateways: ['n2'] },
          nodes: { ready: 1, total: 2, summary: '1/2' },
        },
      },
    });
  });

  const said = (report: LinkReport): ReturnType<typeof linkedCluster> => {
    const { conditions = [], clusterLinkStatus = {} } =
      linkStatusPatch(linkedCluster('east'), report, NOW)?.status ?? {};
    return { ...linkedCluster('east'), status: { conditions, clusterLinkStatus: clusterLinkStatus as object } };
  };

  it('is not written again when it is there already', () => {
    expect(linkStatusPatch(said(LINK), LINK, '2026-02-02T00:00:00Z')).to.equal(undefined);
  });

  it('keeps what is not known now', () => {
    const unknown: LinkReport = { condition: LINK.condition };
    expect(linkStatusPatch(said(LINK), unknown, NOW)).to.equal(undefined);
  });

  it('takes away a gateway that is none any more, without a lock on what it does not replace', () => {
    const none = { ...LINK, gateways: { gateway: undefined, standbys: [] } };
    expect(linkStatusPatch(said(LINK), none, NOW)).to.deep.equal({
      metadata: { uid: 'east-uid' },
      status: { clusterLinkStatus: { gateway: null, standbyGateways: null } },
    });
  });

  it('takes its condition away where there is no link', () => {
    const patch = linkStatusPatch(said(LINK), { condition: undefined }, NOW);
    expect(patch?.status).to.deep.equal({ conditions: [] });
  });
});
