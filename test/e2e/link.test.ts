import { expect } from 'chai';
import { LinkedLab, type LinkedPod } from '../support/linked-lab.js';

const OPTIONS = { ipFamily: 'ipv4', cni: 'generic' } as const;

describe('linked networks of real clusters', () => {
  let lab: LinkedLab;
  let pods: readonly LinkedPod[];

  before(async function () {
    this.timeout(300_000);
    lab = await LinkedLab.start({ instance: 'e2e-link', members: 1, nodes: 2, hostNodes: 2 });
    pods = await lab.startPods();
  });

  after(async () => {
    await lab.down();
  });

  for (const networkType of ['p2p', 'gateway'] as const) {
    describe(networkType, () => {
      before(async function () {
        this.timeout(120_000);
        for (const name of ['host', 'member1']) await lab.link(name, { ...OPTIONS, networkType });
        await lab.linked('host', 'member1');
      });

      it('lets every pod reach the pods of the other cluster by their own addresses', async () => {
        for (const from of pods) {
          for (const to of pods.filter(({ cluster }) => cluster !== from.cluster)) {
            const answer = await lab.reaches(from, to.ips[0] ?? '');
            expect(answer).to.include(`hostname=${to.name}`);
            expect(answer).to.match(new RegExp(`client=.*${from.ips[0] ?? ''}`));
          }
        }
      });
    });
  }
});
