import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBinaries } from '../../hack/lab/binaries.js';
import { residentKiB } from '../../hack/bench/process-usage.js';
import { LAB_IMAGES } from '../../hack/lab/full/images.js';
import { programPath } from '../../hack/lab/control-plane.js';
import { pods } from '../../src/kube/resource.js';
import { eventually } from '../support/eventually.js';
import { Federation } from '../support/federation.js';
import { Kubectl, type Protocol } from '../support/kubectl.js';
import { copyThereAndBack } from '../support/large-copy.js';
import { virtualPod } from '../support/workloads.js';

const NAMESPACE = 'sessions';
const BOTH: readonly Protocol[] = ['WebSocket', 'SPDY'];
/** The oldest and the newest that can be had. */
const CLIENTS = ['1.34', '1.37'];
/** Longer than the API server's own limit for a silent request, and than the five minutes of many load balancers. */
const IDLE_MS = 6 * 60_000;
const SESSIONS = 150;
const MIB = 1024 * 1024;

describe('the kubelet API of a virtual node, for long', function () {
  this.timeout(3_600_000);
  let federation: Federation;
  let folder: string;
  const clients: Kubectl[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kosmos-soak-'));
    federation = await Federation.start({ instance: 'soak-kubelet', members: 1, full: true });
    await federation.namespace(NAMESPACE);
    const containers = [
      { name: 'main', image: LAB_IMAGES.busybox, command: ['sh', '-c', 'echo up; while true; do sleep 1; done'] },
    ];
    await federation.host.create(pods, virtualPod({ namespace: NAMESPACE, name: 'box', spec: { containers } }));
    await federation.runningPod('host', { namespace: NAMESPACE, name: 'box' });
  });

  after(async () => {
    for (const kubectl of clients) kubectl.close();
    rmSync(folder, { recursive: true, force: true });
    await federation.down();
  });

  function client(program?: string): Kubectl {
    const kubectl = new Kubectl(federation.lab.host, NAMESPACE, program);
    clients.push(kubectl);
    return kubectl;
  }

  for (const version of CLIENTS) {
    describe(`with kubectl ${version}`, () => {
      let kubectl: Kubectl;

      before(async () => {
        const binaries = await ensureBinaries({ full: false, kubeVersion: version, log: () => undefined });
        kubectl = client(programPath(binaries, 'kubectl'));
        const text = await kubectl.output(['version', '--client']);
        expect(text).to.match(new RegExp(`v${version.replace('.', '\\.')}\\.`));
      });

      it('logs are read', async () => {
        expect(await kubectl.output(['logs', 'box', '--tail=1'])).to.equal('up\n');
      });

      for (const protocol of BOTH) {
        it(`exec, cp and attach work over ${protocol}`, async () => {
          for (const code of [0, 7, 137]) {
            const script = code === 137 ? 'kill -9 $$' : `exit ${code}`;
            expect((await kubectl.run(['exec', 'box', '--', 'sh', '-c', script], protocol)).code).to.equal(code);
          }
          const terminal = await kubectl.onTerminal(['exec', '-it', 'box', '--', 'sh'], 'stty size; exit\n', protocol);
          expect(terminal).to.match(/33 111/);
          await copyThereAndBack(kubectl, protocol, { bytes: 20 * MIB, folder });
        });
      }
    });
  }

  for (const protocol of BOTH) {
    it(`cp brings 200 MB there and back over ${protocol}`, () =>
      copyThereAndBack(client(), protocol, { bytes: 200 * MIB, folder }));
  }

  it('sessions that are silent for minutes still work afterwards', async () => {
    const kubectl = client();
    const script = 'echo here; read line; echo got $line; exit 9';
    const sessions = BOTH.map((protocol) => kubectl.start(['exec', '-i', 'box', '--', 'sh', '-c', script], protocol));
    for (const session of sessions) await eventually(() => expect(session.output()).to.include('here'));
    await sleep(IDLE_MS);
    for (const session of sessions) {
      session.child.stdin?.end('hello\n');
      expect(await session.ended).to.equal(9);
      expect(session.output()).to.include('got hello');
    }
  });

  it("give their memory back when the member's API server is killed under them", async () => {
    const kubectl = client();
    const open = async (): Promise<void> => {
      const sessions = Array.from({ length: SESSIONS }, () =>
        kubectl.start(['exec', '-i', 'box', '--', 'sh', '-c', 'echo here; sleep 3600'], 'SPDY'),
      );
      for (const session of sessions) {
        await eventually(() => expect(session.output()).to.include('here'), { timeoutMs: 120_000 });
      }
      const member = federation.lab.cluster('member1');
      await member.stopApiServer();
      await Promise.all(sessions.map(({ ended }) => ended));
      await member.startApiServer();
      await federation.waitForMembers();
    };
    // What the first round leaves are warm caches and a grown heap; a leak grows with each.
    const afterRound: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      await open();
      await sleep(5_000);
      afterRound.push(residentKiB(federation.manager.pid) / 1024);
    }
    process.stdout.write(`        MiB after each round: ${afterRound.map((one) => one.toFixed(0)).join(', ')}\n`);
    expect((afterRound[3] ?? Infinity) - (afterRound[1] ?? 0)).to.be.lessThan(20);
  });
});
