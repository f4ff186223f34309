import { expect } from 'chai';
import type { ClusterLinkOptions } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { addressRules, publishedIp } from '../../../../src/clustertree/pod/published-address.js';
import { mergeStatus } from '../../../../src/clustertree/pod/status.js';
import { linkedCluster } from '../../../support/link-objects.js';
import { hostPod, memberPod } from '../../../support/pods.js';

const MAP = { '10.10.0.0/16': '242.10.0.0/16', 'fd10::/48': 'fdaa::/48' };

function published(address: string, options: ClusterLinkOptions, podCIDRs: readonly string[] = []): string | undefined {
  const rules = addressRules(linkedCluster('east', options, { podCIDRs }));
  return rules === undefined ? address : publishedIp(rules, address);
}

describe('the address by which others reach a pod', () => {
  const table: readonly (readonly [string, string, ClusterLinkOptions, readonly string[], string | undefined])[] = [
    ['its own without a map', '10.10.3.4', {}, [], '10.10.3.4'],
    ['mapped, host bits kept', '10.10.3.4', { globalCIDRsMap: MAP }, ['10.10.0.0/16'], '242.10.3.4'],
    ['mapped in IPv6 as well', 'fd10:0:0:1::7', { globalCIDRsMap: MAP }, [], 'fdaa:0:0:1::7'],
    [
      'its own when only Services are mapped',
      '10.20.3.4',
      { globalCIDRsMap: { '10.96.0.0/16': '242.96.0.0/16' } },
      ['10.20.0.0/16'],
      '10.20.3.4',
    ],
    [
      'its own in a range that the Cluster names itself',
      '10.20.3.4',
      { globalCIDRsMap: MAP, podCIDRs: ['10.20.0.0/16'] },
      [],
      '10.20.3.4',
    ],
    ['none in a range that nobody knows', '10.99.3.4', { globalCIDRsMap: MAP }, ['10.10.0.0/16'], undefined],
    ['none for what is no address', 'nonsense', { globalCIDRsMap: MAP }, [], undefined],
    ['its own when the link is off', '10.10.3.4', { enable: false, globalCIDRsMap: MAP }, [], '10.10.3.4'],
    ['its own with a map that maps nothing', '10.10.3.4', { globalCIDRsMap: { '10.10.0.0/16': 'x' } }, [], '10.10.3.4'],
    [
      'its own with a map of unequal ranges',
      '10.10.3.4',
      { globalCIDRsMap: { '10.10.0.0/16': '242.0.0.0/8' } },
      [],
      '10.10.3.4',
    ],
  ];
  for (const [what, address, options, podCIDRs, expected] of table) {
    it(`is ${what}`, () => {
      expect(published(address, options, podCIDRs)).to.equal(expected);
    });
  }

  it('is its own in a cluster that is not linked, or not there', () => {
    expect(addressRules(undefined)).to.equal(undefined);
    expect(addressRules({ spec: {} })).to.equal(undefined);
    expect(addressRules({ spec: { clusterLinkOptions: { globalCIDRsMap: MAP } } })?.plain).to.deep.equal([]);
  });
});

describe('the addresses in the status of a host pod', () => {
  const addresses = addressRules(linkedCluster('east', { globalCIDRsMap: MAP }, { podCIDRs: ['10.10.0.0/16'] }));
  const merged = (podIPs: readonly string[], hostIP = '192.0.2.1'): unknown => {
    const status = { phase: 'Running', hostIP, podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) };
    const { podIP, podIPs: list } = mergeStatus(hostPod(), memberPod({ status }), { inStep: true, addresses });
    return [podIP, list];
  };

  it('are those by which others reach it', () => {
    expect(merged(['10.10.3.4', 'fd10::7'])).to.deep.equal(['242.10.3.4', [{ ip: '242.10.3.4' }, { ip: 'fdaa::7' }]]);
  });

  it('leave out what nobody reaches, and are none at all when that is all', () => {
    expect(merged(['10.10.3.4', 'fd99::7'])).to.deep.equal(['242.10.3.4', [{ ip: '242.10.3.4' }]]);
    expect(merged(['10.99.3.4'])).to.deep.equal([undefined, undefined]);
  });

  it("are the node's own for a pod in its network", () => {
    expect(merged(['192.0.2.1'])).to.deep.equal(['192.0.2.1', [{ ip: '192.0.2.1' }]]);
  });

  it('are none while the member pod has none', () => {
    const { podIP, podIPs } = mergeStatus(hostPod(), memberPod(), { inStep: true, addresses });
    expect([podIP, podIPs]).to.deep.equal([undefined, undefined]);
  });
});
