import { expect } from 'chai';
import { renderExposition } from '../../../../../src/clustertree/kubelet/stats/exposition.js';
import { podSeries } from '../../../../../src/clustertree/kubelet/stats/pod-series.js';
import { ownPodOf, statsPod, statsPods } from '../../../../support/stats.js';

const MEMBER_UID = '11111111-2222-3333-4444-555555555555';
const HOST_UID = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';

function withUids(): ReturnType<typeof statsPod> {
  const pod = statsPod('web', 'n1', { metadata: { uid: MEMBER_UID } });
  return { ...pod, host: { ...pod.host, metadata: { ...pod.host.metadata, uid: HOST_UID } } };
}

const pods = statsPods(withUids());
const kept = (line: string, node = 'n1'): string =>
  renderExposition(podSeries(`${line}\n`, node, pods).families)
    .split('\n')
    .slice(1)
    .join('\n')
    .trim();

describe('podSeries', () => {
  it('keeps series of pods of the virtual node, with their time', () => {
    const line = 'container_cpu_usage_seconds_total{container="app",namespace="shop",pod="web"} 1.25 1700000000123';
    expect(kept(line)).to.equal(line);
  });

  it("puts the UID of the host in the place of the member pod's", () => {
    const line = `prober_probe_total{container="app",namespace="shop",pod="web",pod_uid="${MEMBER_UID}"} 3`;
    expect(kept(line)).to.equal(line.replace(MEMBER_UID, HOST_UID));
  });

  it('does so in paths of control groups too, also in the form that systemd needs', () => {
    const underscored = (uid: string): string => uid.replaceAll('-', '_');
    const cgroupfs = `a{id="/kubepods/pod${MEMBER_UID}/c0ffee",namespace="shop",pod="web"} 1`;
    const systemd = `a{id="/kubepods.slice/pod${underscored(MEMBER_UID)}.slice",namespace="shop",pod="web"} 1`;
    expect(kept(cgroupfs)).to.equal(cgroupfs.replace(MEMBER_UID, HOST_UID));
    expect(kept(systemd)).to.equal(systemd.replace(underscored(MEMBER_UID), underscored(HOST_UID)));
  });

  const strangers: Readonly<Record<string, string>> = {
    'of another pod': 'a{namespace="shop",pod="other"} 1',
    'of a pod of that name in another namespace': 'a{namespace="bank",pod="web"} 1',
    'of an earlier pod of the same name, by its UID': 'a{namespace="shop",pod="web",pod_uid="earlier"} 1',
    'of an earlier pod of the same name, by its control group':
      'a{id="/kubepods/podearlier",namespace="shop",pod="web"} 1',
    'of the node': 'node_cpu_usage_seconds_total 1',
    'of a system daemon': 'a{id="/system.slice/kubelet.service"} 1',
    'of a namespace without a pod': 'a{namespace="shop"} 1',
    'of the machine': 'machine_cpu_cores{boot_id="x",machine_id="y"} 4',
  };
  for (const [what, line] of Object.entries(strangers)) {
    it(`leaves out what is ${what}`, () => {
      expect(kept(line)).to.equal('');
    });
  }

  it('leaves out what another node still says of the pod', () => {
    expect(kept('a{namespace="shop",pod="web"} 1', 'n2')).to.equal('');
  });

  it('tells which pods have any series', () => {
    const two = statsPods(statsPod('seen'), statsPod('unseen'));
    const { seen } = podSeries('a{namespace="shop",pod="seen"} 1\nb{namespace="shop",pod="seen"} 1\n', 'n1', two);
    expect([...seen]).to.deep.equal([ownPodOf('seen')]);
  });
});
