import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabApi, LabApiError } from '../../hack/lab/api.js';
import { Lab } from '../../hack/lab/lab.js';
import { blocksOf } from '../../hack/lab/network.js';
import { REPOSITORY, instanceDirectory, instanceFingerprint } from '../../hack/lab/paths.js';
import { run, waitFor } from '../../hack/lab/run.js';
import { NOTHING_LEFT, remainsOf } from '../support/lab-remains.js';

const CLI = join(REPOSITORY, 'dist/hack/lab/main.js');

async function blockOf(instance: string): Promise<number> {
  const [block] = await blocksOf(instanceFingerprint(instance));
  if (block === undefined) throw new Error(`${instance} has no bridge`);
  return block;
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was expected to fail');
}

function deployment(name: string, replicas: number): string {
  const labels = { app: name };
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'none.invalid/none' }] } },
    },
  });
}

describe('the lab with light clusters', () => {
  const instance = 'it-lab';
  let lab: Lab;
  let block: number;

  before(async () => {
    await Lab.down(instance);
    lab = await Lab.up({ instance, members: 2, nodes: 2, hostNodes: 1 });
    block = await blockOf(instance);
  });

  after(() => Lab.down(instance));

  it('names the clusters and gives each its own addresses, pod and service CIDRs', () => {
    expect(lab.clusters.map((cluster) => cluster.name)).to.deep.equal(['host', 'member1', 'member2']);
    const ranges = lab.clusters.flatMap((cluster) => [...cluster.ranges.pods, ...cluster.ranges.services]);
    expect(new Set(ranges).size).to.equal(6);
    expect(new Set(lab.clusters.map((cluster) => cluster.server)).size).to.equal(3);
  });

  it('has as many Ready KWOK nodes as asked for, in the host too', async () => {
    const counts = lab.clusters.map(async (cluster) => {
      const { stdout } = await cluster.kubectl(['get', 'nodes', '--no-headers']);
      return stdout
        .trim()
        .split('\n')
        .filter((line) => line.includes(' Ready')).length;
    });
    expect(await Promise.all(counts)).to.deep.equal([1, 2, 2]);
  });

  it('runs the pods of a Deployment on KWOK nodes', async () => {
    const member = lab.cluster('member1');
    await member.kubectl(['apply', '-f', '-'], { input: deployment('web', 10) });
    await member.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    const { stdout } = await member.kubectl(['get', 'pods', '-o', 'jsonpath={.items[*].status.podIP}']);
    expect(stdout.split(' ')).to.have.length(10);
  });

  it('adds KWOK nodes with the labels, taints, capacity and kubelet version that are asked for', async () => {
    const member = lab.cluster('member2');
    const taints = [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }];
    const node = { name: 'odd', labels: { shape: 'odd' }, taints, capacity: { cpu: '4' }, kubeletVersion: 'v1.33.1' };
    await member.addKwokNodes([node]);
    const { stdout } = await member.kubectl(['get', 'node', 'odd', '-o', 'json']);
    const object = JSON.parse(stdout) as {
      metadata: { labels: Record<string, string> };
      spec: { taints: unknown };
      status: { allocatable: Record<string, string>; nodeInfo: Record<string, string> };
    };
    expect(object.metadata.labels).to.include({ shape: 'odd' });
    expect(object.spec.taints).to.deep.include(taints[0]);
    expect(object.status.allocatable).to.include({ cpu: '4', memory: '1Ti' });
    expect(object.status.nodeInfo['kubeletVersion']).to.equal('v1.33.1');
    await member.removeNode('odd');
  });

  it('serves the metrics of an API server', async () => {
    expect(await lab.host.metrics()).to.contain('apiserver_request_total');
  });

  it('makes users by certificate and by token with the rights of a role', async () => {
    for (const credential of ['certificate', 'token'] as const) {
      const kubeconfig = await lab.host.addUser({ name: `viewer-${credential}`, credential, clusterRole: 'view' });
      const api = new LabApi(kubeconfig);
      const pods = (await api.json('GET', '/api/v1/namespaces/default/pods')) as { kind: string };
      expect(pods.kind).to.equal('PodList');
      const refused = await rejection(api.json('GET', '/api/v1/nodes'));
      expect(refused).to.be.instanceOf(LabApiError).with.property('status', 403);
      api.close();
    }
  });

  it('makes a user whose certificate has expired', async () => {
    const kubeconfig = await lab.host.addUser({ name: 'late', clusterRole: 'view', notAfter: new Date('2020-01-01') });
    const api = new LabApi(kubeconfig);
    const refused = await rejection(api.json('GET', '/api/v1/namespaces/default/pods'));
    expect(refused).to.be.instanceOf(LabApiError).with.property('status', 401);
    api.close();
  });

  it('stops an API server and starts it again with what it had', async () => {
    const member = lab.cluster('member1');
    await member.ensureNamespace('kept');
    await member.stopApiServer();
    const refused = await rejection(member.api.text('GET', '/readyz', { timeoutMs: 1000 }));
    expect(refused)
      .to.have.property('code')
      .that.matches(/^ECONN/);
    await member.startApiServer();
    const namespace = (await member.api.json('GET', '/api/v1/namespaces/kept')) as { kind: string };
    expect(namespace.kind).to.equal('Namespace');
  });

  it('refuses to start a component that runs', async () => {
    const refused = await rejection(lab.host.startComponent('etcd'));
    expect(refused.message).to.equal('host.etcd runs already');
  });

  it('pauses an API server, which then answers nothing, and lets it go on', async () => {
    const member = lab.cluster('member2');
    await member.pauseComponent('kube-apiserver');
    try {
      const late = await rejection(member.api.text('GET', '/readyz', { timeoutMs: 500 }));
      expect(late.message).to.contain('no answer in 500 ms');
    } finally {
      member.resumeComponent('kube-apiserver');
    }
    await member.waitForApiServer();
  });

  it('ends a component that was paused before', async () => {
    const member = lab.cluster('member2');
    await member.pauseComponent('kube-scheduler');
    await member.stopComponent('kube-scheduler');
    await member.startComponent('kube-scheduler');
    expect(lab.processes().every((entry) => entry.alive)).to.equal(true);
  });

  it('starts programs in namespaces of the lab and tells how they ended', async () => {
    const logFile = join(instanceDirectory(instance), 'client', 'address.log');
    const address = await lab.spawnIn('client', 'ip', ['-brief', 'address', 'show', 'eth0'], { logFile });
    expect(await address.wait()).to.deep.equal({ code: 0, signal: null });
    expect(readFileSync(logFile, 'utf8')).to.contain(lab.clientAddress);
    const sleeper = await lab.spawnIn('root', 'sleep', ['600']);
    expect(sleeper.alive()).to.equal(true);
    sleeper.kill('SIGKILL');
    expect(await sleeper.wait()).to.deep.equal({ code: null, signal: 'SIGKILL' });
  });

  it('reaches the API servers from the namespace of clients', async () => {
    expect(await lab.exec('client', 'sh', ['-c', 'kubectl get --raw /readyz > /dev/null'])).to.equal(0);
  });

  it('can be opened by another process', async () => {
    const { stdout } = await run(process.execPath, [CLI, 'status', '--instance', instance]);
    expect(stdout).to.contain('member2.kube-scheduler').and.not.contain('has ended');
    const exec = [CLI, 'exec', '--instance', instance, 'member1', 'sh', '-c', 'exit 7'];
    expect((await run(process.execPath, exec, { allowFailure: true })).code).to.equal(7);
  });

  it('refuses a second lab of the same name and leaves the first alone', async () => {
    const refused = await rejection(Lab.up({ instance, members: 0 }));
    expect(refused.message).to.contain('exists already');
    await lab.host.waitForApiServer();
  });

  it('lets a second instance run side by side, and removing one leaves the other', async () => {
    const second = `${instance}-2`;
    await Lab.down(second);
    const other = await Lab.up({ instance: second, members: 1, nodes: 1 });
    const servers = [...lab.clusters, ...other.clusters].map((cluster) => cluster.server);
    expect(new Set(servers).size).to.equal(5);
    const { stdout } = await other.cluster('member1').kubectl(['get', 'nodes', '--no-headers']);
    expect(stdout.trim().split('\n')).to.have.length(1);
    const otherBlock = await blockOf(second);
    await other.down();
    expect(await remainsOf(second, otherBlock)).to.deep.equal(NOTHING_LEFT);
    await Promise.all(lab.clusters.map((cluster) => cluster.waitForApiServer()));
  });

  it('leaves nothing behind after down, not even programs started in the root namespace', async () => {
    const sleeper = await lab.spawnIn('root', 'sleep', ['600']);
    await lab.down();
    expect(await sleeper.wait()).to.deep.equal({ code: null, signal: 'SIGKILL' });
    expect(await remainsOf(instance, block)).to.deep.equal(NOTHING_LEFT);
  });
});

describe('the lab when something goes wrong', () => {
  const instance = 'it-lab-crash';

  beforeEach(() => Lab.down(instance));
  afterEach(() => Lab.down(instance));

  for (const moment of ['instance.json', 'member1/pki/ca.crt', 'host/logs/kube-apiserver.log', 'run/host.kwok.json']) {
    it(`leaves nothing after a kill of up when ${moment} appears, followed by down`, async () => {
      const child = spawn(process.execPath, [CLI, 'up', '--members', '1', '--instance', instance], { stdio: 'ignore' });
      const ended = new Promise((done) => child.once('exit', done));
      const file = join(instanceDirectory(instance), moment);
      await waitFor(moment, () => existsSync(file) || undefined, { timeoutMs: 60_000, intervalMs: 5 });
      child.kill('SIGKILL');
      await ended;
      const [block] = await blocksOf(instanceFingerprint(instance));
      await run(process.execPath, [CLI, 'down', '--instance', instance]);
      expect(await remainsOf(instance, block)).to.deep.equal(NOTHING_LEFT);
    });
  }

  it('cleans up by itself when up is interrupted', async () => {
    const child = spawn(process.execPath, [CLI, 'up', '--members', '1', '--instance', instance], { stdio: 'ignore' });
    const ended = new Promise((done) => child.once('exit', done));
    const record = join(instanceDirectory(instance), 'run/host.kube-apiserver.json');
    await waitFor('a running API server', () => existsSync(record) || undefined, { timeoutMs: 60_000 });
    await sleep(500);
    const block = await blockOf(instance);
    child.kill('SIGINT');
    expect(await ended).to.equal(130);
    expect(await remainsOf(instance, block)).to.deep.equal(NOTHING_LEFT);
  });

  it('says which component failed with the end of its log, and leaves nothing', async () => {
    const extraArgs = { 'kube-apiserver': ['--no-such-flag'] };
    const failure = await rejection(Lab.up({ instance, members: 0, extraArgs }));
    expect(failure.message).to.contain('host: kube-apiserver').and.to.contain('unknown flag: --no-such-flag');
    expect(await remainsOf(instance)).to.deep.equal(NOTHING_LEFT);
  });

  it('has nothing to do when there is no lab', async () => {
    await Lab.down(instance);
    expect(await remainsOf(instance)).to.deep.equal(NOTHING_LEFT);
  });

  it('brings down a lab whose processes have died', async () => {
    const lab = await Lab.up({ instance, members: 0 });
    for (const component of ['etcd', 'kube-apiserver'] as const) await lab.host.stopComponent(component, 'SIGKILL');
    expect(lab.processes().filter((entry) => !entry.alive)).to.have.length(2);
    await Lab.down(instance);
    expect(await remainsOf(instance)).to.deep.equal(NOTHING_LEFT);
  });
});
