import { expect } from 'chai';
import type {
  NodeConfigGatewayCandidate,
  NodeConfigPeer,
} from '../../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { type ProbePlan, probePlan, targetAddress } from '../../../../../src/clusterlink/agent/probe/targets.js';
import { spec } from '../specs.js';

function plan({
  candidates = [],
  peers = [],
  devices = spec.devices,
}: {
  readonly candidates?: readonly NodeConfigGatewayCandidate[];
  readonly peers?: readonly NodeConfigPeer[];
  readonly devices?: typeof spec.devices;
}): ProbePlan {
  return probePlan({ ...spec, devices, peers, gateways: [{ clusterName: 'west', candidates, cidrs: [] }] });
}

const peer = (nodeName: string, ip: string, ip6?: string): NodeConfigPeer => ({
  clusterName: 'west',
  nodeName,
  ip,
  ip6,
});

describe('whom to probe', () => {
  it('is nobody for a config that is not planned, or wants nothing', () => {
    expect(probePlan({})).to.deep.equal({ targets: [], sources: [], problems: [] });
    const peers = [peer('w1', '220.18.2.21')];
    expect(plan({ peers, devices: [] })).to.deep.equal({ targets: [], sources: [], problems: [] });
  });

  it('is nobody in a family that this node has no tunnel of', () => {
    const { targets } = plan({
      peers: [peer('w1', '220.18.2.21', '9470:18::2:21')],
      devices: spec.devices!.slice(0, 1),
    });
    expect(targets.map(({ ip }) => ip)).to.deep.equal(['220.18.2.21']);
  });

  it('keeps that a gateway is one, though it is also an ordinary peer', () => {
    const { targets } = plan({
      candidates: [{ nodeName: 'w1', gw: '220.18.2.21', dev: 'vx-bridge' }],
      peers: [peer('w1', '220.18.2.21'), peer('w2', '220.18.2.22')],
    });
    expect(targets.map(({ name, gateway }) => [name, gateway])).to.deep.equal([
      ['west/w1', true],
      ['west/w2', false],
    ]);
  });

  it('is an address once that is written in several ways', () => {
    const { targets } = plan({ peers: [peer('w1', '9470:18::2:21'), peer('w2', '9470:0018:0:0::2:21')] });
    expect(targets.map(({ name, ip }) => [name, ip])).to.deep.equal([['west/w1', '9470:18::2:21']]);
  });

  it('never is the node itself, by whatever name or way of writing', () => {
    const { targets, problems } = plan({ peers: [peer('other', '220.18.1.11', '9470:0018:0::1:11')] });
    expect([targets, problems]).to.deep.equal([[], []]);
  });

  it('is everybody else when the address of one is none, which is reported', () => {
    const { targets, problems } = plan({
      candidates: [{ nodeName: 'w1', gw: 'x', dev: 'vx-bridge', gw6: '9470:18::2:21', dev6: 'vx-bridge-6' }],
      peers: [peer('w2', ''), peer('w3', '220.18.2.23')],
    });
    expect(targets.map(({ name, ip }) => [name, ip])).to.deep.equal([
      ['west/w1', '9470:18::2:21'],
      ['west/w3', '220.18.2.23'],
    ]);
    expect(problems).to.deep.equal(['probe of west/w1: "x" is no IP address', 'probe of west/w2: "" is no IP address']);
  });

  it('is asked from the other devices when the address of one is none', () => {
    const devices = [{ ...spec.devices![0]!, addr: '220.18.1.11' }, spec.devices![1]!];
    const { targets, sources, problems } = plan({ devices, peers: [peer('w1', '220.18.2.21', '9470:18::2:21')] });
    expect([sources, targets.map(({ ip }) => ip), problems]).to.deep.equal([['9470:18::1:11'], ['9470:18::2:21'], []]);
  });

  it('is asked from the first address whose prefix has it', () => {
    const wide = { ...spec.devices![0]!, name: 'vx-local', addr: '220.18.9.9/16' };
    const [target] = plan({ devices: [wide, ...spec.devices!], peers: [peer('w1', '220.18.2.21')] }).targets;
    expect(target?.source).to.equal('220.18.9.9');
  });
});

describe('targetAddress', () => {
  it('is one text for each address, and any other text itself', () => {
    expect(['9470:0018::2', '9470:18:0::2', '10.0.0.1', 'x', ''].map(targetAddress)).to.deep.equal([
      ...['9470:18::2', '9470:18::2', '10.0.0.1', 'x', ''],
    ]);
  });
});
