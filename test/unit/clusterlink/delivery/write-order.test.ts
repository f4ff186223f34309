import { expect } from 'chai';
import type { NodeConfigSpec } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';
import { diffConfig, newConfig } from '../../../../src/clusterlink/delivery/config-change.js';
import {
  isApplied,
  LONGEST_HOLD_MS,
  WriteOrder,
  writeStage,
} from '../../../../src/clusterlink/delivery/write-order.js';
import { nodeConfig } from '../../../support/link-objects.js';

const gateway: NodeConfigSpec = {
  clusterName: 'east',
  gateways: [{ clusterName: 'east', candidates: [{ nodeName: 'a', self: true }], cidrs: [] }],
};
const other: NodeConfigSpec = {
  clusterName: 'east',
  gateways: [{ clusterName: 'east', candidates: [{ nodeName: 'b' }, { nodeName: 'a', self: true }], cidrs: [] }],
};
const elsewhere: NodeConfigSpec = {
  clusterName: 'east',
  gateways: [{ clusterName: 'west', candidates: [{ nodeName: 'a', self: true }], cidrs: [] }],
};

describe('writeStage', () => {
  const table: readonly (readonly [string, NodeConfigSpec | undefined, NodeConfigSpec, string])[] = [
    ['a node that is made the gateway', other, gateway, 'becomes'],
    ['a new node that is the gateway at once', undefined, gateway, 'becomes'],
    ['a gateway that stays one', gateway, gateway, 'follows'],
    ['a gateway that is none any more', gateway, other, 'resigns'],
    ['any other node', other, other, 'follows'],
    ['a node without gateways', undefined, {}, 'follows'],
    ['a node that uses gateways of other clusters', undefined, elsewhere, 'follows'],
  ];
  for (const [what, before, after, expected] of table) {
    it(`of ${what} is: ${expected}`, () => {
      expect(writeStage(before, after)).to.equal(expected);
    });
  }
});

describe('WriteOrder', () => {
  const begun = (): WriteOrder => {
    const order = new WriteOrder();
    order.begin(
      new Map([
        ['new', 'becomes'],
        ['x', 'follows'],
        ['old', 'resigns'],
      ] as const),
      1_000,
    );
    return order;
  };

  it('lets everything through without a hand-over', () => {
    const order = new WriteOrder();
    order.begin(new Map([['x', 'follows']] as const), 0);
    expect([order.mustWait('becomes', 0), order.mustWait('follows', 0), order.mustWait('resigns', 0)]).to.deep.equal([
      false,
      false,
      false,
    ]);
  });

  it('holds others until the new gateway is written and has said that it is ready', () => {
    const order = begun();
    expect([order.mustWait('becomes', 1_000), order.mustWait('follows', 1_000)]).to.deep.equal([false, true]);
    order.written('new', 'becomes');
    expect(order.mustWait('follows', 1_100)).to.equal(true);
    order.confirmed('new');
    expect(order.mustWait('follows', 1_200)).to.equal(false);
  });

  it('lets the old gateway go last', () => {
    const order = begun();
    order.written('new', 'becomes');
    order.confirmed('new');
    expect(order.mustWait('resigns', 1_200)).to.equal(true);
    order.written('x', 'follows');
    expect(order.mustWait('resigns', 1_200)).to.equal(false);
  });

  it('does not wait for a new gateway for ever', () => {
    const order = begun();
    expect(order.mustWait('follows', 1_000 + LONGEST_HOLD_MS - 1)).to.equal(true);
    expect(order.mustWait('follows', 1_000 + LONGEST_HOLD_MS)).to.equal(false);
  });

  it('is not held up by plans that change again and again', () => {
    const order = begun();
    order.begin(new Map([['new', 'becomes']] as const), 1_000 + LONGEST_HOLD_MS - 1);
    expect(order.mustWait('follows', 1_000 + LONGEST_HOLD_MS)).to.equal(false);
  });

  it('does not wait for what is gone', () => {
    const order = begun();
    order.written('new', 'becomes');
    order.gone('new');
    order.gone('x');
    expect(order.mustWait('resigns', 1_200)).to.equal(false);
  });
});

describe('isApplied', () => {
  it('is whether the agent has come to the present generation', () => {
    expect(isApplied(nodeConfig('east', 'a', {}, { observedGeneration: 1 }))).to.equal(true);
    expect(isApplied(nodeConfig('east', 'a', {}, { observedGeneration: 0 }))).to.equal(false);
    expect(isApplied(nodeConfig('east', 'a'))).to.equal(false);
    expect(isApplied({ status: {} })).to.equal(false);
  });
});

describe('diffConfig', () => {
  it('is nothing for what is there already', () => {
    const spec = { routes: [{ cidr: '10.1.0.0/16', gw: '220.0.0.1', dev: 'vx-bridge' }] };
    expect(diffConfig(nodeConfig('east', 'a', spec), { clusterName: 'east', nodeName: 'a', ...spec })).to.equal(
      undefined,
    );
  });

  it('has whole fields, and null for those that go', () => {
    const actual = nodeConfig('east', 'a', { routes: [], peers: [] });
    const planned = { clusterName: 'east', nodeName: 'a', routes: [], devices: [] };
    expect(diffConfig(actual, planned)).to.deep.equal({
      metadata: { uid: 'east-a-uid' },
      spec: { peers: null, devices: [] },
    });
    expect(diffConfig({ spec: {} }, { devices: [] })).to.deep.equal({ metadata: {}, spec: { devices: [] } });
  });
});

describe('newConfig', () => {
  it('says whose it is', () => {
    const made = newConfig('east-a', ownershipOf('host-uid', 'east'), { nodeName: 'a' });
    expect(made.metadata?.labels).to.include({ 'kosmos.io/host-cluster': 'host-uid', 'kosmos.io/cluster': 'east' });
    expect(made).to.deep.include({ kind: 'NodeConfig', spec: { nodeName: 'a' } });
  });
});
