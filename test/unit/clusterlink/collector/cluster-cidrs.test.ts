import { expect } from 'chai';
import type { ConfigMap, Pod } from '../../../../src/apis/core.js';
import type { ClusterLinkOptions } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { LinkNode } from '../../../../src/clusterlink/cluster/link-node.js';
import type { NetworkFacts } from '../../../../src/clusterlink/cluster/network-sources.js';
import type { Source } from '../../../../src/clusterlink/cluster/source.js';
import { collectCidrs, etcdProblem, type FoundCidrs } from '../../../../src/clusterlink/collector/cluster-cidrs.js';
import { ipPool, known, linkNode, networkFacts, UNKNOWN } from '../../../support/link-objects.js';

function controlPlane(component: string, ...args: readonly string[]): Pod {
  return { metadata: { labels: { component } }, spec: { containers: [{ name: component, image: 'x', args }] } };
}

function config(data: Readonly<Record<string, string>>): ConfigMap {
  return { metadata: { name: 'config' }, data };
}

function flannel(network: object): Source<ConfigMap> {
  return known(config({ 'net-conf.json': JSON.stringify(network) }));
}

function pods(
  facts: Partial<NetworkFacts>,
  nodes: Source<LinkNode> = known<LinkNode>(),
  options: ClusterLinkOptions = {},
): FoundCidrs {
  return collectCidrs(options, nodes, networkFacts(facts)).pods;
}

function services(facts: Partial<NetworkFacts>, options: ClusterLinkOptions = {}): FoundCidrs {
  return collectCidrs(options, known<LinkNode>(), networkFacts(facts)).services;
}

const found = (origin: string, ...cidrs: readonly string[]): unknown => ({ state: 'found', cidrs, origin });

describe('collectCidrs for Services', () => {
  const serviceCidrs = known(
    { spec: { cidrs: ['10.96.0.0/16'] } },
    { spec: { cidrs: ['fd00:96::/112', '10.97.0.0/24'] } },
  );
  const flags = known(controlPlane('kube-apiserver', '--service-cluster-ip-range=10.96.0.0/12'));

  it('takes ServiceCIDR objects before flags, sorted', () => {
    expect(services({ serviceCidrs, controlPlane: flags })).to.deep.equal(
      found('ServiceCIDR', '10.96.0.0/16', '10.97.0.0/24', 'fd00:96::/112'),
    );
  });

  it('reads the flags of API servers in clusters without ServiceCIDR objects', () => {
    expect(services({ controlPlane: flags })).to.deep.equal(found('ApiServerFlags', '10.96.0.0/12'));
  });

  it('names each range once, however many API servers there are', () => {
    const twice = known(...flags.objects, ...flags.objects);
    expect(services({ controlPlane: twice })).to.deep.equal(found('ApiServerFlags', '10.96.0.0/12'));
  });

  const spellings: readonly (readonly [string, string])[] = [
    ['10.237.6.0/18', '10.237.0.0/18'],
    ['2409:8c2f:3800:0011::0a18:0000/114', '2409:8c2f:3800:11::a18:0/114'],
  ];
  for (const [given, normal] of spellings) {
    it(`writes ${given} as ${normal}`, () => {
      const pod = controlPlane('kube-apiserver', `--service-cluster-ip-range=${given}`);
      expect(services({ controlPlane: known(pod) })).to.deep.equal(found('ApiServerFlags', normal));
    });
  }

  it('leaves out what is no range', () => {
    const pod = controlPlane('kube-apiserver', '--service-cluster-ip-range=10.96.0.0/12,$(OTHER)');
    expect(services({ controlPlane: known(pod) })).to.deep.equal(found('ApiServerFlags', '10.96.0.0/12'));
  });

  it('believes the Cluster before all others', () => {
    const options = { serviceCIDRs: ['10.1.0.0/16'] };
    expect(services({ serviceCidrs, controlPlane: UNKNOWN }, options)).to.deep.equal(found('Cluster', '10.1.0.0/16'));
  });

  it('waits for an answer that may be better than what it has', () => {
    expect(services({ serviceCidrs: UNKNOWN, controlPlane: flags })).to.deep.equal({ state: 'unknown' });
  });

  it('says what to do about a managed cluster that tells nothing', () => {
    expect(services({})).to.deep.equal({
      state: 'missing',
      message: 'the cluster does not tell its serviceCIDRs; set spec.clusterLinkOptions.serviceCIDRs',
    });
  });
});

describe('collectCidrs for pods', () => {
  const nodes = known(linkNode('n1', { podCIDRs: ['10.244.1.0/24'] }), linkNode('n2', { podCIDRs: ['10.244.0.0/24'] }));
  const manager = known(controlPlane('kube-controller-manager', '--cluster-cidr=10.244.0.0/16,fd44::/56'));

  it("takes Calico's pools, also disabled ones, but not those that we made", () => {
    const ipPools = known(
      ipPool('default', '10.10.0.0/16'),
      ipPool('old', '10.9.0.0/16', { disabled: true }),
      ipPool('clusterlink-west-pod-10-20-0-0-16', '10.20.0.0/16', { disabled: true }),
    );
    expect(pods({ ipPools }, nodes)).to.deep.equal(found('Calico', '10.10.0.0/16', '10.9.0.0/16'));
  });

  it("takes flannel's networks of both families", () => {
    const facts = { flannel: flannel({ Network: '10.5.0.0/16', EnableIPv6: true, IPv6Network: 'fd05::/56' }) };
    expect(pods(facts, nodes)).to.deep.equal(found('Flannel', '10.5.0.0/16', 'fd05::/56'));
  });

  for (const text of ['{', '7', 'null', '{"Network": 7}']) {
    it(`finds nothing in a flannel configuration that is ${text}`, () => {
      const facts = { flannel: known(config({ 'net-conf.json': text })) };
      expect(pods(facts, nodes)).to.deep.include({ origin: 'Nodes' });
    });
  }

  it('finds nothing in a flannel configuration without its key', () => {
    expect(pods({ flannel: known(config({}), {}) }, nodes)).to.deep.include({ origin: 'Nodes' });
  });

  it("takes Cilium's cluster pools", () => {
    const data = { 'cluster-pool-ipv4-cidr': '10.6.0.0/16 10.7.0.0/16', 'cluster-pool-ipv6-cidr': 'fd06::/104' };
    const expected = found('Cilium', '10.6.0.0/16', '10.7.0.0/16', 'fd06::/104');
    expect(pods({ cilium: known(config(data)) }, nodes)).to.deep.equal(expected);
    expect(pods({ cilium: known(config({ ...data, ipam: 'cluster-pool' })) }, nodes)).to.deep.equal(expected);
  });

  it("does not believe Cilium's pools when it hands out addresses in another way", () => {
    const data = { ipam: 'kubernetes', 'cluster-pool-ipv4-cidr': '10.0.0.0/8' };
    expect(pods({ cilium: known(config(data), {}) }, nodes)).to.deep.include({ origin: 'Nodes' });
  });

  it('reads the flags of controller managers when the CNI tells nothing', () => {
    expect(pods({ ipPools: known(), controlPlane: manager }, nodes)).to.deep.equal(
      found('ControllerManagerFlags', '10.244.0.0/16', 'fd44::/56'),
    );
  });

  it('puts the ranges of the nodes together when nothing else is known', () => {
    expect(pods({}, nodes)).to.deep.equal(found('Nodes', '10.244.0.0/24', '10.244.1.0/24'));
  });

  describe('of a Calico on etcd', () => {
    const inEtcd = { calicoInEtcd: true, controlPlane: manager, ipPools: known(ipPool('old', '10.9.0.0/16')) };

    it('believes nobody but the Cluster, and says what to set there', () => {
      expect(pods(inEtcd, nodes)).to.deep.equal({
        state: 'missing',
        message: 'its Calico keeps its pools in etcd, where they are not read; set spec.clusterLinkOptions.podCIDRs',
      });
      expect(pods(inEtcd, UNKNOWN, { podCIDRs: ['10.1.0.0/16'] })).to.deep.equal(found('Cluster', '10.1.0.0/16'));
    });

    it('waits until it is known whether it is one, unless the Cluster says its ranges', () => {
      expect(pods({ ...inEtcd, calicoInEtcd: undefined }, nodes)).to.deep.equal({ state: 'unknown' });
      const options = { podCIDRs: ['10.1.0.0/16'] };
      expect(pods({ calicoInEtcd: undefined }, nodes, options)).to.deep.equal(found('Cluster', '10.1.0.0/16'));
    });

    it('takes Services from where they are', () => {
      const flags = known(controlPlane('kube-apiserver', '--service-cluster-ip-range=10.96.0.0/12'));
      expect(services({ ...inEtcd, controlPlane: flags })).to.deep.equal(found('ApiServerFlags', '10.96.0.0/12'));
    });

    it('can be linked in gateway mode only, as blocks of nodes are not known', () => {
      for (const networkType of ['p2p', undefined] as const) {
        expect(etcdProblem({ networkType }, inEtcd)).to.match(/set spec.clusterLinkOptions.networkType to gateway$/);
        expect(etcdProblem({ networkType }, { calicoInEtcd: false })).to.equal(undefined);
        expect(etcdProblem({ networkType }, { calicoInEtcd: undefined })).to.equal(undefined);
      }
      expect(etcdProblem({ networkType: 'gateway' }, inEtcd)).to.equal(undefined);
    });
  });

  it('waits for the CNI before it believes the nodes', () => {
    expect(pods({ ipPools: UNKNOWN }, nodes)).to.deep.equal({ state: 'unknown' });
    expect(pods({}, UNKNOWN)).to.deep.equal({ state: 'unknown' });
  });

  it('believes the Cluster before all others', () => {
    const options = { podCIDRs: ['10.1.0.0/16'] };
    expect(pods({ ipPools: UNKNOWN }, UNKNOWN, options)).to.deep.equal(found('Cluster', '10.1.0.0/16'));
  });

  it('says what to do when nobody tells', () => {
    expect(pods({}, known(linkNode('n1')))).to.deep.include({ state: 'missing' });
  });
});
