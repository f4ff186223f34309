import { expect } from 'chai';
import { isOwnPool } from '../../../../src/clusterlink/cluster/own-pools.js';
import { desiredPools, diffPools } from '../../../../src/clusterlink/collector/ip-pools.js';
import { ipPool, linkedCluster } from '../../../support/link-objects.js';

const EAST = linkedCluster('east', {}, { podCIDRs: ['10.10.0.0/16'], serviceCIDRs: ['10.11.0.0/16'] });
const WEST = linkedCluster('west', {}, { podCIDRs: ['10.20.0.0/16', 'fd20::/48'], serviceCIDRs: ['10.21.0.0/16'] });
const LOCAL = ipPool('default', '10.10.0.0/16');

const names = (pools: ReadonlyMap<string, unknown>): readonly string[] => [...pools.keys()];

describe('desiredPools', () => {
  it('are disabled pools that cover what other clusters use', () => {
    const pools = desiredPools('east', [EAST, WEST], [LOCAL]);
    expect(names(pools)).to.deep.equal([
      'clusterlink-west-pod-10-20-0-0-16',
      'clusterlink-west-pod-fd20---48',
      'clusterlink-west-service-10-21-0-0-16',
    ]);
    expect(pools.get('clusterlink-west-pod-10-20-0-0-16')).to.deep.equal({
      apiVersion: 'crd.projectcalico.org/v1',
      kind: 'IPPool',
      metadata: { name: 'clusterlink-west-pod-10-20-0-0-16' },
      spec: {
        ...{ cidr: '10.20.0.0/16', natOutgoing: false, disabled: true, disableBGPExport: true },
        ...{ vxlanMode: 'Never', ipipMode: 'Never', nodeSelector: 'all()' },
      },
    });
  });

  it('leave out what overlaps with a pool of the cluster itself', () => {
    const wide = ipPool('wide', '10.20.0.0/15');
    expect(names(desiredPools('east', [EAST, WEST], [wide]))).to.deep.equal(['clusterlink-west-pod-fd20---48']);
  });

  it('never overlap with each other', () => {
    const same = linkedCluster('south', {}, { podCIDRs: ['10.20.128.0/17'] });
    expect(names(desiredPools('east', [EAST, WEST, same], [LOCAL]))).to.not.include(
      'clusterlink-south-pod-10-20-128-0-17',
    );
  });

  it('have the ranges by which others are seen, also of a part of a mapped range', () => {
    const globalCIDRsMap = { '10.10.0.0/16': '242.20.0.0/16', nonsense: '1.2.3.0/24' };
    const west = linkedCluster(
      'west',
      { globalCIDRsMap },
      { podCIDRs: ['10.10.64.0/18'], serviceCIDRs: ['10.21.0.0/16'] },
    );
    expect(names(desiredPools('east', [EAST, west], [LOCAL]))).to.deep.equal([
      'clusterlink-west-pod-242-20-64-0-18',
      'clusterlink-west-service-10-21-0-0-16',
    ]);
  });

  it('are not made for clusters that are not linked, or are about to leave', () => {
    const disabled = linkedCluster('west', { enable: false }, { podCIDRs: ['10.20.0.0/16'] });
    const leaving = { ...WEST, metadata: { ...WEST.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const none = { ...WEST, status: {} };
    for (const other of [disabled, leaving, none])
      expect(names(desiredPools('east', [EAST, other], []))).to.deep.equal([]);
  });

  it('leave out what is no range', () => {
    const west = linkedCluster('west', {}, { podCIDRs: ['nonsense'] });
    expect(names(desiredPools('east', [EAST, west], [ipPool('odd', 'nonsense')]))).to.deep.equal([]);
  });
});

describe('diffPools', () => {
  const desired = desiredPools('east', [EAST, linkedCluster('west', {}, { podCIDRs: ['10.20.0.0/16'] })], [LOCAL]);
  const [wanted] = [...desired.values()];

  it('makes what is missing', () => {
    expect(diffPools([LOCAL], desired)).to.deep.equal({ create: [wanted], remove: [] });
  });

  it('has nothing to do when it is done', () => {
    expect(diffPools([LOCAL, ...desired.values()], desired)).to.deep.equal({ create: [], remove: [] });
  });

  it('removes own pools that are no longer wanted, and no others', () => {
    const stale = ipPool('clusterlink-north-pod-10-30-0-0-16', '10.30.0.0/16', { disabled: true });
    expect(diffPools([LOCAL, stale], new Map())).to.deep.equal({ create: [], remove: [stale] });
  });

  it('makes a pool anew that somebody has switched on: addresses would be taken from it', () => {
    const enabled = ipPool('clusterlink-west-pod-10-20-0-0-16', '10.20.0.0/16', { disabled: false });
    expect(diffPools([enabled], desired)).to.deep.equal({ create: [wanted], remove: [enabled] });
  });
});

describe('isOwnPool', () => {
  it('goes by the name', () => {
    expect(isOwnPool(ipPool('clusterlink-west-pod-x', '10.0.0.0/8'))).to.equal(true);
    expect(isOwnPool(ipPool('my-clusterlink-pool', '10.0.0.0/8'))).to.equal(false);
    expect(isOwnPool({})).to.equal(false);
  });
});
