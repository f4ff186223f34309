import { expect } from 'chai';
import { isIpv6 } from '../../hack/lab/addresses.js';
import { eventually } from './eventually.js';
import type { LinkMode, LinkScene } from './link-scene.js';
import { SERVICE_PORT } from './linked-lab.js';
import { echo, ECHO_BYTES } from './pod-echoes.js';

const MEGABYTES = 10;

/** Tests of all kinds of traffic between all clusters, in one mode; what came through is noted in the scene's matrix. */
export function trafficSuite(scene: () => LinkScene, mode: LinkMode): void {
  describe(mode, () => {
    const note = (ip: string, kind: string): void => {
      const { matrix, overlap } = scene();
      matrix.note(`${mode} ${isIpv6(ip) ? 'IPv6' : 'IPv4'}${overlap ? ' overlap' : ''}`, kind, 'ok');
    };

    before(async function () {
      this.timeout(120_000);
      await scene().linkAll(mode);
    });

    it('lets every pod reach the pods of other clusters, which see its own address', async () => {
      const { lab } = scene();
      for (const { from, to, ip, source } of scene().pairs()) {
        const answer = await lab.reaches(from, ip);
        expect(answer).to.include(`hostname=${to.name}`);
        expect(answer.replaceAll('::ffff:', '')).to.include(`client=[${source}]`);
        await lab.inPod(from, 'ping', '-c', '1', '-W', '2', ip);
        note(ip, 'pod-pod TCP+ping');
      }
    });

    it('carries ten megabytes unharmed', async () => {
      const { lab, pods } = scene();
      for (const to of pods) await lab.inPod(to, 'sh', '-c', `head -c ${MEGABYTES << 20} /dev/zero > /www/big`);
      for (const { from, ip } of scene().pairs()) {
        const host = isIpv6(ip) ? `[${ip}]` : ip;
        const count = await lab.inPod(from, 'sh', '-c', `timeout 20 wget -qO- http://${host}:8080/big | wc -c`);
        expect(Number(count.stdout.trim())).to.equal(MEGABYTES << 20);
        note(ip, `TCP ${MEGABYTES} MB`);
      }
    });

    it('carries datagrams to pods and Services, and their answers', async () => {
      const { pods, names } = scene();
      const pairs = [...scene().pairs()];
      for (const from of pods) {
        const others = names.filter((name) => name !== from.cluster);
        const targets = [
          ...pairs.filter((pair) => pair.from === from).map(({ ip }) => ip),
          ...others.flatMap((name) => scene().serviceIps(name)),
        ];
        await echo(from, targets);
        for (const ip of targets) note(ip, `UDP ${ECHO_BYTES} B`);
      }
    });

    it('lets every pod reach the Services of other clusters', async () => {
      const { lab, pods, names } = scene();
      for (const from of pods) {
        for (const cluster of names.filter((name) => name !== from.cluster)) {
          for (const ip of scene().serviceIps(cluster)) {
            const answer = await lab.reaches(from, ip, SERVICE_PORT);
            expect(answer).to.match(new RegExp(`hostname=on-${cluster}-node`));
            note(ip, 'pod-ClusterIP');
          }
        }
      }
    });

    it('lets every node reach the pods of other clusters', async () => {
      const { lab, pods } = scene();
      for (const { cluster, node } of lab.nodes) {
        for (const to of pods.filter((pod) => pod.cluster !== cluster)) {
          for (const ip of to.ips.map((each) => scene().seen(to.cluster, each))) {
            const url = `http://${isIpv6(ip) ? `[${ip}]` : ip}:8080/`;
            const answer = await eventually(() => lab.onNode(node, 'curl', '-s', '-m', '3', url), {
              timeoutMs: 15_000,
            });
            expect(answer.trim()).to.equal(to.name);
            note(ip, 'node-pod');
          }
        }
      }
    });
  });
}
