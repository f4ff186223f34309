import { expect } from 'chai';
import type { Node } from '../../../../src/apis/core.js';
import {
  KUBELET_PORT_INDEX,
  kubeletPortIndexer,
  KubeletPorts,
  recordedPort,
} from '../../../../src/clustertree/cluster/kubelet-ports.js';
import { IndexedStore } from '../../../../src/kube/store.js';

describe('KubeletPorts', () => {
  let nodes: IndexedStore<Node>;
  let ports: KubeletPorts;

  beforeEach(() => {
    nodes = new IndexedStore({ [KUBELET_PORT_INDEX]: kubeletPortIndexer });
    ports = new KubeletPorts({ first: 100, count: 3 }, nodes);
  });

  function record(name: string, port: number | undefined): void {
    const status = port === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: port } } };
    nodes.set(name, { metadata: { name }, status });
  }

  it('gives each node a port of its own, the same each time it is asked', () => {
    expect([ports.portOf('a'), ports.portOf('b'), ports.portOf('a')]).to.deep.equal([100, 101, 100]);
  });

  it('keeps what a Node says, so that a restart changes nothing', () => {
    record('a', 102);
    record('b', 100);
    expect([ports.portOf('a'), ports.portOf('b'), ports.portOf('c')]).to.deep.equal([102, 100, 101]);
  });

  it('gives a port again when its node is gone', () => {
    record('a', 100);
    record('b', 101);
    record('c', 102);
    expect(() => ports.portOf('d')).to.throw(/all 3 ports/);
    nodes.delete('b');
    expect(ports.portOf('d')).to.equal(101);
  });

  it('gives the second of two nodes that publish one port another one', () => {
    record('a', 100);
    record('b', 100);
    expect([ports.portOf('b'), ports.portOf('a')]).to.deep.equal([101, 100]);
    expect([ports.servedPort('a'), ports.servedPort('b')]).to.deep.equal([100, undefined]);
  });

  it('gives a port from the range to a node that publishes another', () => {
    record('a', 10250);
    expect(ports.servedPort('a')).to.be.undefined;
    expect(ports.portOf('a')).to.equal(100);
  });

  it('takes back a reservation that somebody else publishes meanwhile', () => {
    expect(ports.portOf('b')).to.equal(100);
    record('a', 100);
    expect(ports.portOf('b')).to.equal(101);
  });

  it('serves a node only where it says so', () => {
    expect(ports.servedPort('a')).to.be.undefined;
    record('a', undefined);
    expect(ports.servedPort('a')).to.be.undefined;
    record('a', 101);
    expect(ports.servedPort('a')).to.equal(101);
  });

  it('frees a reservation once the Node publishes it', () => {
    ports.portOf('a');
    record('a', 100);
    expect(ports.portOf('a')).to.equal(100);
    nodes.delete('a');
    expect([ports.portOf('b'), ports.portOf('c'), ports.portOf('d')]).to.have.members([100, 101, 102]);
  });
});

describe('recordedPort', () => {
  it('is none for a node that has not said it', () => {
    expect(recordedPort(undefined)).to.be.undefined;
    expect(recordedPort({ status: { daemonEndpoints: { kubeletEndpoint: { Port: 0 } } } })).to.be.undefined;
  });
});
