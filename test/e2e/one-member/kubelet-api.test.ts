import { expect } from 'chai';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LAB_IMAGES } from '../../../hack/lab/full/images.js';
import type { Container, PodSpec } from '../../../src/apis/core.js';
import { pods } from '../../../src/kube/resource.js';
import { eventually } from '../../support/eventually.js';
import type { Federation } from '../../support/federation.js';
import { Kubectl, type Protocol } from '../../support/kubectl.js';
import { copyThereAndBack } from '../../support/large-copy.js';
import { ONE_MEMBER, sharedFederation } from '../../support/shared-lab.js';
import { readOverWebSocket } from '../../support/web-socket.js';
import { virtualPod } from '../../support/workloads.js';

const NAMESPACE = 'sessions';
const NODE = 'kosmos-member1';
const BIG_BYTES = 40 * 1024 * 1024;
const BOTH: readonly Protocol[] = ['WebSocket', 'SPDY'];

function shell(script: string, more: Partial<Container> = {}): Container {
  return { name: 'main', image: LAB_IMAGES.busybox, command: ['sh', '-c', script], ...more };
}

describe('the kubelet API of a virtual node, with real containers', () => {
  let federation: Federation;
  let kubectl: Kubectl;
  let folder: string;

  before(async function () {
    this.timeout(600_000);
    folder = mkdtempSync(join(tmpdir(), 'kosmos-e2e-'));
    federation = await sharedFederation(ONE_MEMBER);
    kubectl = new Kubectl(federation.lab.host, NAMESPACE);
    await federation.namespace(NAMESPACE);
    await run('box', { containers: [shell('echo up; while true; do sleep 1; done')] });
  });

  after(() => {
    kubectl.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function run(name: string, spec: Partial<PodSpec>): Promise<void> {
    await federation.host.create(pods, virtualPod({ namespace: NAMESPACE, name, spec }));
    await federation.runningPod('host', { namespace: NAMESPACE, name });
  }

  describe('logs', () => {
    before(async () => {
      const script = 'for i in 1 2 3 4 5; do echo line $i; done; sleep 1; echo problem >&2; sleep 3600';
      await run('writer', { containers: [shell(script), shell('echo second; sleep 3600', { name: 'second' })] });
    });

    const cases: readonly (readonly [string, readonly string[], string])[] = [
      ['the last lines', ['--tail=2'], 'line 5\nproblem\n'],
      ['no line at all', ['--tail=0'], ''],
      ['the first bytes', ['--limit-bytes=6'], 'line 1'],
      ['what is young enough', ['--since=1h', '--tail=1'], 'problem\n'],
      ['what came after a time', ['--since-time=2020-01-01T00:00:00Z', '--tail=1'], 'problem\n'],
      ['another container', ['-c', 'second'], 'second\n'],
    ];
    for (const [what, flags, wanted] of cases) {
      it(`give ${what}`, async () => {
        const container = flags.includes('-c') ? [] : ['-c', 'main'];
        await eventually(async () => {
          expect(await kubectl.output(['logs', 'writer', ...container, ...flags])).to.equal(wanted);
        });
      });
    }

    it('give times', async () => {
      const text = await kubectl.output(['logs', 'writer', '-c', 'main', '--timestamps', '--tail=1']);
      expect(text).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z problem\n$/);
    });

    it('are whole for clients that read them over WebSocket', async () => {
      const path = `/api/v1/namespaces/${NAMESPACE}/pods/writer/log?container=second`;
      expect(await readOverWebSocket(federation.lab.host.kubeconfigPath, path)).to.equal('second\n');
    });

    it('can be followed until the container ends', async () => {
      const script = 'for i in 1 2 3; do echo tick $i; sleep 1; done';
      const spec = { containers: [shell(script)], restartPolicy: 'Never' };
      await federation.host.create(pods, virtualPod({ namespace: NAMESPACE, name: 'ticker', spec }));
      await federation.podStarted({ namespace: NAMESPACE, name: 'ticker' });
      expect(await kubectl.output(['logs', '-f', 'ticker'])).to.equal('tick 1\ntick 2\ntick 3\n');
    });

    it('of the time before a restart are there as well', async () => {
      const script =
        'test -e /data/second && echo second life && exec sleep 3600; touch /data/second; echo first life; exit 1';
      const containers = [shell(script, { volumeMounts: [{ name: 'data', mountPath: '/data' }] })];
      const spec = { containers, volumes: [{ name: 'data', emptyDir: {} }] };
      await federation.host.create(pods, virtualPod({ namespace: NAMESPACE, name: 'restless', spec }));
      await eventually(async () => {
        expect(await kubectl.output(['logs', 'restless'])).to.equal('second life\n');
      });
      expect(await kubectl.output(['logs', '--previous', 'restless'])).to.equal('first life\n');
      await federation.host.delete(pods, { namespace: NAMESPACE, name: 'restless' }, { gracePeriodSeconds: 0 });
    });

    it('say why there are none', async () => {
      const missing = await kubectl.run(['logs', 'writer', '-c', 'main', '--previous']);
      expect(missing.stderr).to.match(/previous terminated container "main" in pod "writer" not found/);
      const image = 'registry.k8s.io/no-such-image:1';
      const containers = [{ name: 'main', image, imagePullPolicy: 'Never' }];
      await federation.host.create(pods, virtualPod({ namespace: NAMESPACE, name: 'imageless', spec: { containers } }));
      await eventually(async () => {
        const { stderr } = await kubectl.run(['logs', 'imageless']);
        expect(stderr).to.match(/\(BadRequest\): container "main" in pod "imageless" is waiting to start/);
      });
      await federation.host.delete(pods, { namespace: NAMESPACE, name: 'imageless' }, { gracePeriodSeconds: 0 });
    });
  });

  for (const protocol of BOTH) {
    describe(`over ${protocol}`, () => {
      for (const code of [0, 7, 137]) {
        it(`exec tells the exit code ${code}`, async () => {
          const script = code === 137 ? 'kill -9 $$' : `exit ${code}`;
          expect((await kubectl.run(['exec', 'box', '--', 'sh', '-c', script], protocol)).code).to.equal(code);
        });
      }

      it('exec keeps the two outputs apart and passes words as they are', async () => {
        const words = ['sh', '-c', 'echo "$1" >&2; echo "$0"', ' a  "b" & ü+%20', 'to stderr'];
        const { stdout, stderr } = await kubectl.run(['exec', 'box', '--', ...words], protocol);
        expect([stdout, stderr]).to.deep.equal([' a  "b" & ü+%20\n', 'to stderr\n']);
      });

      it('exec passes input, and its end', async () => {
        const input = randomBytes(3_000_000);
        const args = ['exec', '-i', 'box', '--', 'sha256sum'];
        const text = await kubectl.output(args, protocol, { input });
        expect(text.split(' ')[0]).to.equal(createHash('sha256').update(input).digest('hex'));
      });

      it('exec -it has a terminal of the right size', async () => {
        const text = await kubectl.onTerminal(
          ['exec', '-it', 'box', '--', 'sh', '-c', 'sleep 1; stty size'],
          '',
          protocol,
        );
        expect(text).to.match(/33 111/);
      });

      it('attach -it reaches the program, with a terminal of the right size', async () => {
        const name = `shell-${protocol.toLowerCase()}`;
        await run(name, { containers: [shell('exec sh', { stdin: true, tty: true })] });
        const text = await kubectl.onTerminal(['attach', '-it', name], 'sleep 1; stty size; exit\n', protocol);
        expect(text).to.match(/33 111/);
      });

      // 200 MB are copied in test/soak.
      it('cp brings 40 MB there and back', () => copyThereAndBack(kubectl, protocol, { bytes: BIG_BYTES, folder }));

      it('port-forward serves several ports, and many requests', async () => {
        const name = `web-${protocol.toLowerCase()}`;
        const other = { name: 'other', image: LAB_IMAGES.http, env: [{ name: 'PORT', value: '8081' }] };
        await run(name, { containers: [{ name: 'main', image: LAB_IMAGES.http }, other] });
        const [first, second] = [await freePort(), await freePort()];
        const forward = kubectl.start(['port-forward', name, `${first}:8080`, `${second}:8081`], protocol);
        await eventually(() => expect(forward.output()).to.match(/Forwarding from .* -> 8081/));
        for (let i = 0; i < 5; i += 1) {
          expect(await Promise.all([fetchText(first), fetchText(second)])).to.deep.equal([`${name}\n`, `${name}\n`]);
        }
        forward.child.kill('SIGINT');
        await forward.ended;
      });

      it('a session ends when its pod is deleted', async () => {
        const name = `doomed-${protocol.toLowerCase()}`;
        await run(name, { containers: [shell('sleep 3600')] });
        const session = kubectl.start(['exec', name, '--', 'sh', '-c', 'echo here; sleep 3600'], protocol);
        await eventually(() => expect(session.output()).to.include('here'));
        await federation.host.delete(pods, { namespace: NAMESPACE, name }, { gracePeriodSeconds: 0 });
        await session.ended;
      });
    });
  }

  it('a debug container can be added, run in, and read', async () => {
    await run('debugged', { containers: [shell('sleep 3600')] });
    const flags = ['--image', LAB_IMAGES.busybox, '--image-pull-policy=Never', '-c', 'debugger'];
    await kubectl.output(['debug', 'debugged', ...flags, '--', 'sh', '-c', 'echo found; sleep 3600']);
    await eventually(async () => {
      expect(await kubectl.output(['logs', 'debugged', '-c', 'debugger'])).to.equal('found\n');
    });
    const { code } = await kubectl.run(['exec', 'debugged', '-c', 'debugger', '--', 'sh', '-c', 'exit 5']);
    expect(code).to.equal(5);
  });

  it('errors are told as those of a real node', async () => {
    const wrong = await kubectl.run(['exec', 'box', '--', 'no-such-program']);
    expect([wrong.code, wrong.stderr]).to.satisfy(
      ([code, text]: [number, string]) => code !== 0 && /no-such-program/.test(text),
    );
    const noContainer = await kubectl.run(['logs', 'box', '-c', 'missing']);
    expect(noContainer.stderr).to.match(/container missing is not valid for pod box/);
  });

  describe('the endpoints of the node', () => {
    function raw(path: string): Promise<string> {
      return kubectl.output(['get', '--raw', `/api/v1/nodes/${NODE}/proxy${path}`]);
    }

    async function names(path: string): Promise<readonly string[]> {
      const { items } = JSON.parse(await raw(path)) as { items: { metadata: { namespace: string; name: string } }[] };
      return items.filter(({ metadata }) => metadata.namespace === NAMESPACE).map(({ metadata }) => metadata.name);
    }

    it('list its pods, and those that run', async () => {
      expect(await names('/pods')).to.include.members(['box', 'ticker']);
      const running = await names('/runningpods/');
      expect(running).to.include('box');
      expect(running).not.to.include('ticker');
    });

    it('tell its health and its configuration', async () => {
      expect(await raw('/healthz')).to.equal('ok');
      expect(JSON.parse(await raw('/configz'))).to.have.nested.property('kubeletconfig.authorization.mode', 'Webhook');
    });

    it('give the log of a container, and no log of the machine', async () => {
      expect(await raw(`/containerLogs/${NAMESPACE}/box/main?tailLines=1`)).to.equal('up\n');
      expect((await kubectl.run(['get', '--raw', `/api/v1/nodes/${NODE}/proxy/logs/`])).code).not.to.equal(0);
    });
  });

  describe('when something is killed', () => {
    /** Opens a session on both protocols and waits until they talk. */
    async function openSessions(): Promise<ReturnType<Kubectl['start']>[]> {
      const sessions = BOTH.map((protocol) =>
        kubectl.start(['exec', '-i', 'box', '--', 'sh', '-c', 'echo here; sleep 3600'], protocol),
      );
      for (const session of sessions) await eventually(() => expect(session.output()).to.include('here'));
      return sessions;
    }

    async function endWithin(sessions: readonly ReturnType<Kubectl['start']>[], limitMs: number): Promise<void> {
      const startedAt = performance.now();
      // kubectl takes any close for the end of the program, with real nodes too, so its exit code tells nothing.
      await Promise.all(sessions.map(({ ended }) => ended));
      expect(performance.now() - startedAt).to.be.lessThan(limitMs);
    }

    it('sessions end when the manager is killed, and new ones work after its restart', async () => {
      const sessions = await openSessions();
      await federation.killManager();
      await endWithin(sessions, 30_000);
      await federation.restartManager();
      await eventually(async () => {
        expect(await kubectl.output(['exec', 'box', '--', 'echo', 'again'])).to.equal('again\n');
      });
    });

    it("sessions end when the member's API server is killed", async () => {
      const sessions = await openSessions();
      const member = federation.lab.cluster('member1');
      await member.stopApiServer();
      await endWithin(sessions, 30_000);
      await member.startApiServer();
      await eventually(async () => {
        expect(await kubectl.output(['exec', 'box', '--', 'echo', 'again'])).to.equal('again\n');
      });
    });
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function fetchText(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    httpGet({ host: '127.0.0.1', port, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('error', reject);
      answer.on('end', () => resolve(text));
    }).on('error', reject);
  });
}
