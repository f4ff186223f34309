import { expect } from 'chai';
import { buildImage } from '../../hack/image/build.js';
import { Lab } from '../../hack/lab/lab.js';
import { inNamespace } from '../../hack/lab/network.js';
import { run } from '../../hack/lab/run.js';
import type { Finding } from '../../src/kosmosctl/report/finding.js';
import { EXIT } from '../../src/kosmosctl/failure.js';
import { removeAgentState } from '../support/agent-state.js';
import { eventually } from '../support/eventually.js';
import { Kosmosctl } from '../support/kosmosctl.js';

const NODE = 'member1-node1';
const CHAIN = 'table inet broken { chain forward { type filter hook forward priority -10; RULE; }; }';
/** Of packets in the tunnel; less than any interface says. */
const BYTES = 1_200;

describe('a network that is broken on purpose', function () {
  this.timeout(300_000);
  let lab: Lab;
  let ctl: Kosmosctl;

  before(async () => {
    await Lab.down('soak-broken');
    const image = await buildImage();
    lab = await Lab.up({ instance: 'soak-broken', members: 1, full: true });
    for (const cluster of lab.clusters) await cluster.importImages(image.archive);
    ctl = new Kosmosctl(lab.host);
    await ctl.output(['install']);
    const member = ['--name', 'member1', '--kubeconfig', lab.cluster('member1').kubeconfigPath];
    await ctl.output(['join', 'cluster', ...member, '--yes']);
  });

  after(async () => {
    await lab.down();
    removeAgentState(lab);
  });

  /** How the command ended, and what it takes for problems. */
  async function check(): Promise<{ readonly code: number; readonly problems: readonly Finding[] }> {
    const kubeconfig = `member1=${lab.cluster('member1').kubeconfigPath}`;
    const { code, stdout } = await ctl.run(['check', '--member-kubeconfig', kubeconfig, '-o', 'json']);
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
    return { code, problems: findings.filter(({ level }) => level === 'problem') };
  }

  const onNode = (...args: readonly string[]) => run(...inNamespace(lab.namespaceOf(NODE), 'nft', args));

  /** What is found while the node drops packets of a kind that it forwards. */
  async function whileDropping(packets: string): ReturnType<typeof check> {
    await onNode(CHAIN.replace('RULE', `${packets} drop`));
    try {
      return await check();
    } finally {
      await onNode('delete table inet broken');
    }
  }

  const scaleDns = (replicas: number) =>
    lab.cluster('member1').kubectl(['-n', 'kube-system', 'scale', 'deployment', 'coredns', `--replicas=${replicas}`]);

  it('is found in order before', async () => {
    expect(await check()).to.deep.equal({ code: 0, problems: [] });
  });

  it('is found to drop UDP, and nothing else', async () => {
    const { code, problems } = await whileDropping('ct state new udp dport != 53');
    expect(code).to.equal(EXIT.problems);
    expect([...new Set(problems.map(({ what }) => what))]).to.deep.equal(['udp']);
    for (const { message, cure } of problems) {
      expect(message).to.match(/^udp does not get through .*, while icmp, tcp/);
      expect(cure).to.contain('drops UDP');
    }
  });

  it('is found to let large packets vanish', async () => {
    const { code, problems } = await whileDropping(`meta length > ${BYTES}`);
    expect(code).to.equal(EXIT.problems);
    const holes = problems.filter(({ what }) => what.includes('mtu'));
    expect(holes).to.have.length.greaterThan(0);
    for (const { message } of holes) {
      const bytes = Number(/^packets of more than (\d+) bytes vanish/.exec(message)?.[1]);
      expect(bytes, message).to.be.within(BYTES - 20, BYTES);
    }
    const failing = problems.flatMap(({ what }) => what.split(','));
    expect(failing).to.not.include.oneOf(['icmp', 'udp']);
  });

  it('is found to have no DNS in one cluster', async () => {
    await scaleDns(0);
    try {
      const { code, problems } = await check();
      expect(code).to.equal(EXIT.problems);
      expect(problems.map(({ where, what }) => [where.split('/')[0], what])).to.deep.equal([['member1', 'dns']]);
      expect(problems[0]?.cure).to.contain('k8s-app=kube-dns');
    } finally {
      await scaleDns(1);
    }
  });

  it('is found in order again when all is mended', async () => {
    await eventually(async () => expect(await check()).to.deep.equal({ code: 0, problems: [] }), {
      ...{ timeoutMs: 120_000, intervalMs: 1_000 },
    });
  });
});
