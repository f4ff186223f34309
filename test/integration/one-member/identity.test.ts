import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { createSigningKey } from '../../../hack/lab/certificates.js';
import { clusterFiles } from '../../../hack/lab/control-plane.js';
import type { Pod, PodSpec, Secret } from '../../../src/apis/core.js';
import { HOST_UID_ANNOTATION, TOKEN_LABEL } from '../../../src/apis/names.js';
import { configMaps, pods, secrets, serviceAccounts } from '../../../src/kube/resource.js';
import { always, eventually } from '../../support/eventually.js';
import type { Federation } from '../../support/federation.js';
import { ONE_LIGHT_MEMBER, sharedFederation } from '../../support/shared-lab.js';
import { claimsOf, userOfToken, type TokenClaims } from '../../support/tokens.js';
import { boundPod } from '../../support/workloads.js';

const NODE = 'kosmos-member1';
const MEMBER = 'member1';

describe('service accounts and tokens of pods in a member', () => {
  let federation: Federation;
  let namespace: string;
  let count = 0;

  before(async () => {
    // A token of ten minutes is renewed after less than six seconds.
    const args = ['--token-renewal-percent', '1', '--host-api-server', '198.18.0.1:6443'];
    federation = await sharedFederation(ONE_LIGHT_MEMBER);
    await federation.killManager();
    await federation.restartManager({ args });
    await federation.waitForMembers();
  });

  after(async () => {
    await federation.killManager();
    await federation.restartManager({ args: [] });
  });

  beforeEach(async () => {
    count += 1;
    namespace = await federation.namespace(`identity-${count}`);
  });

  afterEach(() => federation.deleteNamespace(namespace));

  const ref = (name: string): { namespace: string; name: string } => ({ namespace, name });
  const secretRef = (pod: Pod): { namespace: string; name: string } => ref(`kosmos-token-${pod.metadata?.uid ?? ''}`);
  const secretOf = (pod: Pod): Promise<Secret | undefined> => federation.find(MEMBER, secrets, secretRef(pod));

  async function running(name: string, spec: Partial<PodSpec> = {}): Promise<Pod> {
    await federation.host.create(pods, boundPod(NODE, { namespace, name, spec }));
    return federation.runningPod('host', ref(name));
  }

  const projecting = (token: { audience?: string; expirationSeconds?: number }): Partial<PodSpec> => ({
    automountServiceAccountToken: false,
    volumes: [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token', ...token } }] } }],
  });

  async function tokenOf(pod: Pod, key: string): Promise<string> {
    const secret = await secretOf(pod);
    return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
  }

  async function claims(pod: Pod, key: string): Promise<TokenClaims> {
    return claimsOf(await tokenOf(pod, key));
  }

  /** What the host's API server takes the bearer of a token for; undefined when it refuses the token. */
  const userOf = (token: string): Promise<string | undefined> =>
    userOfToken(readFileSync(federation.lab.host.kubeconfigPath, 'utf8'), token);

  it('are those of the host, bound to the host pod, for an hour at most', async () => {
    const pod = await running('web');
    const copy = await federation.client(MEMBER).get(pods, ref('web'));
    expect(JSON.stringify(copy.spec)).to.not.include('serviceAccountToken');
    expect(copy.spec).to.include({ serviceAccountName: 'default', automountServiceAccountToken: false });
    const volume = copy.spec!.volumes!.find(({ name }) => name.startsWith('kube-api-access-'))!;
    expect(volume).to.have.nested.property('projected.sources[0].secret.name', secretRef(pod).name);
    const token = await claims(pod, 'token-0-0');
    expect(token.exp - token.iat).to.be.within(3000, 3600);
    expect(token['kubernetes.io']).to.deep.include({ pod: { name: 'web', uid: pod.metadata!.uid } });
    const { metadata } = (await secretOf(pod))!;
    expect(metadata!.labels).to.include({ [TOKEN_LABEL]: 'true', 'kosmos.io/cluster': MEMBER });
    expect(metadata!.annotations).to.include({ [HOST_UID_ANNOTATION]: pod.metadata!.uid });
  });

  it('come with the certificates and the address of the API server that takes them', async () => {
    await running('web');
    const [root, copied] = await Promise.all([
      federation.host.get(configMaps, ref('kube-root-ca.crt')),
      federation.client(MEMBER).get(configMaps, ref('master-root-ca.crt')),
    ]);
    expect(copied.data).to.deep.equal(root.data);
    const env = (await federation.client(MEMBER).get(pods, ref('web'))).spec!.containers[0]!.env;
    expect(env).to.deep.include({ name: 'KUBERNETES_SERVICE_HOST', value: '198.18.0.1' });
    expect(env).to.deep.include({ name: 'KUBERNETES_SERVICE_PORT', value: '6443' });
  });

  it('go with the pod, and so does all that it shared', async () => {
    await federation.host.create(serviceAccounts, { metadata: ref('robot') });
    const pod = await running('web', { serviceAccountName: 'robot' });
    const account = await federation.client(MEMBER).get(serviceAccounts, ref('robot'));
    expect(account).to.include({ automountServiceAccountToken: false }).and.not.have.any.keys('secrets');
    const token = await tokenOf(pod, Object.keys((await secretOf(pod))?.data ?? {})[0] ?? '');
    expect(await userOf(token)).to.equal(`system:serviceaccount:${namespace}:robot`);
    await federation.host.delete(pods, ref('web'));
    await federation.podGone('host', ref('web'));
    await eventually(async () => {
      expect(await secretOf(pod)).to.equal(undefined);
      expect(await federation.find(MEMBER, serviceAccounts, ref('robot'))).to.equal(undefined);
      expect(await federation.find(MEMBER, configMaps, ref('master-root-ca.crt'))).to.equal(undefined);
    });
    await eventually(async () => expect(await userOf(token)).to.equal(undefined), { timeoutMs: 20_000 });
  });

  it('have the audience and the lifetime that the pod asks for, and no others are made', async () => {
    const pod = await running('vault', projecting({ audience: 'vault', expirationSeconds: 700 }));
    expect(Object.keys((await secretOf(pod))?.data ?? {})).to.deep.equal(['token-0-0']);
    const token = await claims(pod, 'token-0-0');
    expect(token.exp - token.iat).to.equal(700);
    expect(token.aud).to.deep.equal(['vault']);
    const long = await running('long', projecting({ expirationSeconds: 86_400 }));
    const capped = await claims(long, 'token-0-0');
    expect(capped.exp - capped.iat).to.equal(3600);
    const none = await running('none', { automountServiceAccountToken: false });
    expect(await secretOf(none)).to.equal(undefined);
  });

  it('are renewed, and good in between', async () => {
    const pod = await running('short', projecting({ expirationSeconds: 600 }));
    const first = await tokenOf(pod, 'token-0-0');
    expect(await userOf(first)).to.equal(`system:serviceaccount:${namespace}:default`);
    const second = await eventually(async () => {
      const token = await tokenOf(pod, 'token-0-0');
      expect(token).to.not.equal(first);
      return token;
    });
    // After six seconds, later on a machine that is busy, and long before the ten minutes are over.
    expect(claimsOf(second).iat - claimsOf(first).iat).to.be.within(4, 45);
    expect([await userOf(first), await userOf(second)]).to.not.include(undefined);
  });

  it('come back when somebody deletes or changes them', async () => {
    const pod = await running('web', projecting({ expirationSeconds: 3600 }));
    const member = federation.client(MEMBER);
    await member.delete(secrets, secretRef(pod));
    await eventually(async () => expect(await secretOf(pod)).to.not.equal(undefined));
    const edit = { data: { 'token-0-0': 'eA==' } };
    await eventually(() => member.patch(secrets, secretRef(pod), edit, { type: 'merge', fieldManager: 'somebody' }));
    await eventually(async () => expect(await tokenOf(pod, 'token-0-0')).to.not.equal('x'));
    await eventually(() => member.patch(secrets, secretRef(pod), { data: { 'token-0-0': null } }, { type: 'merge' }));
    await eventually(async () => expect(await tokenOf(pod, 'token-0-0')).to.not.equal(''));
    expect(await userOf(await tokenOf(pod, 'token-0-0'))).to.equal(`system:serviceaccount:${namespace}:default`);
  });

  it('of an account that somebody else made in the member leave that account alone', async () => {
    await federation.namespace(namespace, MEMBER);
    const theirs = await federation.client(MEMBER).create(serviceAccounts, { metadata: ref('robot') });
    await federation.host.create(serviceAccounts, { metadata: ref('robot') });
    await running('web', { serviceAccountName: 'robot' });
    await federation.host.delete(pods, ref('web'));
    await federation.podGone('host', ref('web'));
    const after = await federation.client(MEMBER).get(serviceAccounts, ref('robot'));
    expect(after.metadata?.resourceVersion).to.equal(theirs.metadata?.resourceVersion);
    await federation.deleteNamespace(namespace, MEMBER);
  });

  it('are not issued again by a manager that starts, and removed for pods that went meanwhile', async () => {
    const kept = await running('kept');
    const gone = await running('gone');
    const before = await secretOf(kept);
    await federation.killManager();
    await federation.host.delete(pods, ref('gone'), { gracePeriodSeconds: 0 });
    await federation.restartManager();
    await eventually(async () => expect(await secretOf(gone)).to.equal(undefined));
    await always(async () => {
      expect((await secretOf(kept))!.metadata!.resourceVersion).to.equal(before!.metadata!.resourceVersion);
    }, 3_000);
  });

  it('are renewed when the host gets another signing key, long before their time', async () => {
    await federation.killManager();
    await federation.restartManager({ args: ['--host-api-server', '198.18.0.1:6443'] });
    const pod = await running('web', projecting({ expirationSeconds: 3600 }));
    const first = await tokenOf(pod, 'token-0-0');
    const user = `system:serviceaccount:${namespace}:default`;
    expect(await userOf(first)).to.equal(user);
    const { host } = federation.lab;
    await host.stopApiServer();
    await createSigningKey(clusterFiles(host.directory).pki);
    await host.startApiServer();
    // Its own tokens are worth nothing now either.
    await host.stopComponent('kube-controller-manager');
    await host.startComponent('kube-controller-manager');
    expect(await userOf(first)).to.equal(undefined);
    await eventually(
      async () => {
        const second = await tokenOf(pod, 'token-0-0');
        expect(second).to.not.equal(first);
        expect(await userOf(second)).to.equal(user);
      },
      { timeoutMs: 90_000, intervalMs: 500 },
    );
  });
});
