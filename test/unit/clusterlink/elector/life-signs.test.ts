import { expect } from 'chai';
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

  it('is what those say who probe it', () => {
    expect(signs.healthOf(NODE, 'reachable', FIRST)).to.equal('healthy');
    expect(signs.healthOf(NODE, 'unreachable', FIRST)).to.equal('unhealthy');
    expect(signs.healthOf(NODE, 'reachable', FIRST)).to.equal('healthy');
  });

  it('is unknown as long as nobody probes it', () => {
    expect(signs.healthOf(NODE, undefined, FIRST)).to.equal('unknown');
    expect(signs.healthOf(NODE, undefined, undefined)).to.equal('unknown');
  });

  for (const ready of ['False', 'Unknown'] as const) {
    it(`is bad when the kubelet is given up: ${ready}`, () => {
      expect(signs.healthOf(linkNode('n1', { ready }), 'reachable', FIRST)).to.equal('unhealthy');
    });
  }

  it('stays bad when nobody probes a dead node any more', () => {
    signs.healthOf(NODE, 'unreachable', FIRST);
    expect(signs.healthOf(NODE, undefined, FIRST)).to.equal('unhealthy');
    expect(signs.healthOf(NODE, undefined, FIRST)).to.equal('unhealthy');
  });

  it('is unknown again when the agent of a dead node says something, and good when probes are answered', () => {
    signs.healthOf(NODE, 'unreachable', FIRST);
    expect(signs.healthOf(NODE, undefined, LATER)).to.equal('unknown');
    expect(signs.healthOf(NODE, 'reachable', LATER)).to.equal('healthy');
    expect(signs.healthOf(NODE, undefined, FIRST)).to.equal('unknown');
  });

  it('is forgotten with the node', () => {
    signs.healthOf(NODE, 'unreachable', FIRST);
    signs.keep(new Map([['n1', NODE]]));
    expect(signs.healthOf(NODE, undefined, FIRST)).to.equal('unhealthy');
    signs.keep(new Map());
    expect(signs.healthOf(NODE, undefined, FIRST)).to.equal('unknown');
  });
});
