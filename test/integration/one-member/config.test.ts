import { expect } from 'chai';
import type { ConfigMap, Pod, PodSpec, Secret } from '../../../src/apis/core.js';
import { HOST_UID_ANNOTATION } from '../../../src/apis/names.js';
import { configMaps, pods, secrets } from '../../../src/kube/resource.js';
import { always, eventually } from '../../support/eventually.js';
import type { Federation } from '../../support/federation.js';
import { ONE_LIGHT_MEMBER, sharedFederation } from '../../support/shared-lab.js';
import { boundPod, IMAGE } from '../../support/workloads.js';

const NODE = 'kosmos-member1';
const MEMBER = 'member1';
/** Pods that want no token need nothing but what the test gives them. */
const PLAIN: Partial<PodSpec> = { automountServiceAccountToken: false };

describe('ConfigMaps and Secrets of pods in a member', () => {
  let federation: Federation;
  let namespace: string;
  let count = 0;

  before(async () => {
    federation = await sharedFederation(ONE_LIGHT_MEMBER);
  });

  beforeEach(async () => {
    count += 1;
    namespace = await federation.namespace(`config-${count}`);
  });

  afterEach(() => federation.deleteNamespace(namespace));

  const ref = (name: string): { namespace: string; name: string } => ({ namespace, name });
  const copyOf = (name: string): Promise<ConfigMap | undefined> => federation.find(MEMBER, configMaps, ref(name));

  function configMap(name: string, more: Partial<ConfigMap> = {}): Promise<ConfigMap> {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', data: { a: '1' }, ...more };
    return federation.host.create(configMaps, { ...object, metadata: { ...ref(name), ...more.metadata } });
  }

  function secret(name: string, more: Partial<Secret> = {}): Promise<Secret> {
    const object = { apiVersion: 'v1', kind: 'Secret', data: { key: 'dmFsdWU=' }, ...more };
    return federation.host.create(secrets, { ...object, metadata: { ...ref(name), ...more.metadata } });
  }

  async function pod(name: string, spec: Partial<PodSpec>): Promise<Pod> {
    return federation.host.create(pods, boundPod(NODE, { namespace, name, spec: { ...PLAIN, ...spec } }));
  }

  const using = (name: string, optional?: boolean): Partial<PodSpec> => ({
    volumes: [{ name: 'v', configMap: { name, optional } }],
  });

  async function deletePod(name: string): Promise<void> {
    await federation.host.delete(pods, ref(name));
    await federation.podGone('host', ref(name));
  }

  async function copyGone(name: string): Promise<void> {
    await eventually(async () => expect(await copyOf(name)).to.equal(undefined));
  }

  it('are copied whole, follow within a second, and go with the last pod', async () => {
    const host = await configMap('settings', {
      metadata: { labels: { app: 'shop' }, annotations: { note: 'x', 'kosmos.io/global': 'true' } },
      binaryData: { raw: '/w==' },
    });
    await secret('login', { type: 'example.com/login', immutable: true });
    const envFrom = [{ secretRef: { name: 'login' } }];
    const spec = { ...using('settings'), containers: [{ name: 'main', image: IMAGE, envFrom }] };
    await Promise.all(['a', 'b'].map((name) => pod(name, spec)));
    for (const name of ['a', 'b']) await federation.runningPod('host', ref(name));
    const copy = await copyOf('settings');
    expect(copy).to.deep.include({ data: { a: '1' }, binaryData: { raw: '/w==' } });
    expect(copy?.metadata?.labels).to.include({ app: 'shop', 'kosmos.io/cluster': MEMBER });
    expect(copy?.metadata?.annotations).to.deep.equal({ note: 'x', [HOST_UID_ANNOTATION]: host.metadata?.uid });
    const copiedSecret = await federation.client(MEMBER).get(secrets, ref('login'));
    expect(copiedSecret).to.deep.include({ type: 'example.com/login', immutable: true, data: { key: 'dmFsdWU=' } });
    expect(JSON.stringify(await federation.pod(MEMBER, ref('a')))).to.not.match(/dmFsdWU|value(?!From|")/);

    await federation.host.patch(configMaps, ref('settings'), { data: { a: null, b: '2' } }, { type: 'merge' });
    await eventually(async () => expect((await copyOf('settings'))?.data).to.deep.equal({ b: '2' }), {
      timeoutMs: 1_000,
      intervalMs: 50,
    });

    await deletePod('a');
    await always(async () => void expect(await copyOf('settings')).to.not.equal(undefined), 1_500);
    await deletePod('b');
    await copyGone('settings');
    await eventually(async () => expect(await federation.find(MEMBER, secrets, ref('login'))).to.equal(undefined));
  });

  it('are replaced when they can not be changed', async () => {
    await secret('login', { type: 'example.com/a', immutable: true });
    await pod('web', { volumes: [{ name: 'v', secret: { secretName: 'login' } }] });
    await federation.runningPod('host', ref('web'));
    await federation.host.delete(secrets, ref('login'));
    const again = await secret('login', { type: 'example.com/b', data: { key: 'bmV3' } });
    await eventually(async () => {
      const copy = await federation.client(MEMBER).get(secrets, ref('login'));
      expect(copy).to.deep.include({ type: 'example.com/b', data: { key: 'bmV3' } });
      expect(copy.metadata?.annotations).to.include({ [HOST_UID_ANNOTATION]: again.metadata?.uid });
    });
  });

  it('come back when they are deleted or edited in the member', async () => {
    await configMap('settings');
    await pod('web', using('settings'));
    await federation.runningPod('host', ref('web'));
    const member = federation.client(MEMBER);
    await member.delete(configMaps, ref('settings'));
    await eventually(async () => expect((await copyOf('settings'))?.data).to.deep.equal({ a: '1' }));
    const edit = { data: { a: 'x', more: 'y' }, metadata: { labels: { theirs: 'stays' } } };
    await member.patch(configMaps, ref('settings'), edit, { type: 'merge', fieldManager: 'somebody' });
    await eventually(async () => expect((await copyOf('settings'))?.data).to.deep.equal({ a: '1' }));
    expect((await copyOf('settings'))?.metadata?.labels).to.include({ theirs: 'stays' });
  });

  it('let a pod wait with the Event of a kubelet, and start when they appear', async () => {
    await pod('web', using('settings'));
    const variable = { name: 'K', valueFrom: { secretKeyRef: { name: 'login', key: 'key' } } };
    await pod('job', { containers: [{ name: 'main', image: IMAGE, env: [variable] }] });
    const mount = await federation.event('FailedMount', ref('web'));
    expect(mount.message).to.equal('MountVolume.SetUp failed for volume "v" : configmap "settings" not found');
    expect((await federation.event('Failed', ref('job'))).message).to.equal('Error: secret "login" not found');
    expect(await federation.pods(MEMBER, namespace)).to.be.empty;
    await Promise.all([configMap('settings'), secret('login')]);
    await eventually(async () => expect(await federation.pods(MEMBER, namespace)).to.have.length(2), {
      timeoutMs: 5_000,
    });
  });

  it('need not be there when they are optional, and come when they appear', async () => {
    const imagePullSecrets = [{ name: 'registry' }];
    await pod('web', { ...using('settings', true), imagePullSecrets });
    const running = await federation.runningPod('host', ref('web'));
    expect(running.status?.phase).to.equal('Running');
    expect((await federation.pod(MEMBER, ref('web')))?.spec?.imagePullSecrets).to.deep.equal(imagePullSecrets);
    expect(await copyOf('settings')).to.equal(undefined);
    const type = 'kubernetes.io/dockerconfigjson';
    await secret('registry', { type, data: { '.dockerconfigjson': 'e30=' } });
    await configMap('settings');
    await eventually(async () => {
      expect(await copyOf('settings')).to.not.equal(undefined);
      expect(await federation.find(MEMBER, secrets, ref('registry'))).to.include({ type });
    });
    await federation.host.delete(configMaps, ref('settings'));
    await copyGone('settings');
  });

  it('of somebody else are never touched, and pods do not get to see them', async () => {
    await federation.namespace(namespace, MEMBER);
    const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: ref('settings'), data: { theirs: 'yes' } };
    const before = await federation.client(MEMBER).create(configMaps, theirs);
    await configMap('settings');
    await pod('web', using('settings'));
    await pod('other', using('settings', true));
    for (const name of ['web', 'other']) {
      expect((await federation.event('ForeignObject', ref(name))).message).to.contain('belongs to somebody else');
    }
    await federation.host.patch(configMaps, ref('settings'), { data: { a: '2' } }, { type: 'merge' });
    await federation.host.delete(configMaps, ref('settings'));
    for (const name of ['web', 'other']) await deletePod(name);
    const after = await copyOf('settings');
    expect([after?.metadata?.resourceVersion, after?.data]).to.deep.equal([
      before.metadata?.resourceVersion,
      { theirs: 'yes' },
    ]);
    await federation.deleteNamespace(namespace, MEMBER);
  });

  it('that changed, came or went while the manager was away are in step when it is back', async () => {
    await Promise.all(['edited', 'deleted', 'unused', 'drifted'].map((name) => configMap(name)));
    const volume = (name: string): { name: string; configMap: { name: string; optional: boolean } } => ({
      name,
      configMap: { name, optional: true },
    });
    await pod('web', { volumes: ['edited', 'deleted', 'drifted', 'late'].map(volume) });
    await pod('gone', using('unused'));
    for (const name of ['web', 'gone']) await federation.runningPod('host', ref(name));
    await federation.killManager();
    await federation.host.patch(configMaps, ref('edited'), { data: { a: '2' } }, { type: 'merge' });
    await federation.host.delete(configMaps, ref('deleted'));
    await federation.client(MEMBER).patch(configMaps, ref('drifted'), { data: { a: 'x' } }, { type: 'merge' });
    await configMap('late');
    await federation.host.delete(pods, ref('gone'), { gracePeriodSeconds: 0 });
    await federation.restartManager();
    await eventually(async () => {
      expect((await copyOf('edited'))?.data).to.deep.equal({ a: '2' });
      expect((await copyOf('drifted'))?.data).to.deep.equal({ a: '1' });
      expect((await copyOf('late'))?.data).to.deep.equal({ a: '1' });
      expect(await copyOf('deleted')).to.equal(undefined);
      expect(await copyOf('unused')).to.equal(undefined);
    });
  });

  it('are not written by a manager that finds nothing to do', async () => {
    await configMap('settings');
    await pod('web', using('settings'));
    await federation.runningPod('host', ref('web'));
    const before = await copyOf('settings');
    await federation.killManager();
    await federation.restartManager();
    await federation.waitForMembers();
    await always(async () => {
      expect((await copyOf('settings'))?.metadata?.resourceVersion).to.equal(before?.metadata?.resourceVersion);
    }, 3_000);
  });
});
