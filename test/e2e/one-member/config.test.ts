import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { LAB_IMAGES } from '../../../hack/lab/full/images.js';
import type { Pod, PodSpec } from '../../../src/apis/core.js';
import { configMaps, pods, secrets, serviceAccounts } from '../../../src/kube/resource.js';
import { eventually } from '../../support/eventually.js';
import type { Federation } from '../../support/federation.js';
import { inClusterPodSpec, inClusterProgram } from '../../support/in-cluster-client.js';
import { jobs, roleBindings, roles } from '../../support/resources.js';
import { ONE_MEMBER, sharedFederation } from '../../support/shared-lab.js';
import { claimsOf, userOfToken } from '../../support/tokens.js';
import { job, virtualPod } from '../../support/workloads.js';

const NAMESPACE = 'config';
const MEMBER = 'member1';
const TOKEN_FILE = '/var/run/secrets/tokens/token';

const ref = (name: string): { namespace: string; name: string } => ({ namespace: NAMESPACE, name });

describe('ConfigMaps, Secrets and tokens of the host in real containers of a member', () => {
  let federation: Federation;

  before(async function () {
    this.timeout(300_000);
    federation = await sharedFederation(ONE_MEMBER);
    const address = new URL(federation.lab.host.server).host;
    await federation.killManager();
    await federation.restartManager({ args: ['--token-renewal-percent', '1', '--host-api-server', address] });
    await federation.waitForMembers();
    await federation.namespace(NAMESPACE);
  });

  after(async () => {
    await federation.killManager();
    await federation.restartManager({ args: [] });
  });

  async function configMap(name: string, data: Record<string, string>): Promise<void> {
    await federation.host.create(configMaps, { metadata: ref(name), data });
  }

  /** A pod that sleeps, for looking into. */
  async function sleeper(name: string, spec: Partial<PodSpec>): Promise<Pod> {
    const [container] = spec.containers ?? [];
    const main = { name: 'main', image: LAB_IMAGES.busybox, command: ['sleep', '3600'], ...container };
    await federation.host.create(pods, virtualPod({ ...ref(name), spec: { ...spec, containers: [main] } }));
    return federation.runningPod('host', ref(name));
  }

  async function output(pod: string, ...command: string[]): Promise<string> {
    const args = ['-n', NAMESPACE, 'exec', pod, '--', ...command];
    return (await federation.lab.cluster(MEMBER).kubectl(args)).stdout.trim();
  }

  /** Has the kubelet look at the pod at once instead of within a minute or two: its metadata changes. */
  async function nudge(pod: string): Promise<void> {
    const patch = { metadata: { annotations: { nudge: String(performance.now()) } } };
    await federation.host.patch(pods, ref(pod), patch, { type: 'merge' });
  }

  it("let a Job act in the host with the official client's defaults, under the host's RBAC", async () => {
    await federation.host.create(serviceAccounts, { metadata: ref('writer') });
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create'] }];
    await federation.host.create(roles, { metadata: ref('writer'), rules });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'writer' };
    const subjects = [{ kind: 'ServiceAccount', ...ref('writer') }];
    await federation.host.create(roleBindings, { metadata: ref('writer'), roleRef, subjects });
    const program = inClusterProgram(`
      const config = new client.KubeConfig();
      config.loadFromDefault();
      const core = config.makeApiClient(client.CoreV1Api);
      const body = { metadata: { name: 'made' }, data: { by: config.getCurrentUser().name } };
      return {
        create: await code(core.createNamespacedConfigMap({ namespace: '${NAMESPACE}', body })),
        list: await code(core.listNamespacedSecret({ namespace: '${NAMESPACE}' })),
      };
    `);
    await configMap('program', { 'main.mjs': program });
    const spec = inClusterPodSpec('program', { serviceAccountName: 'writer' });
    await federation.host.create(jobs, job({ ...ref('client'), spec }));
    const [ended] = await eventually(async () => {
      const found = await federation.pods('host', NAMESPACE, 'app=client');
      const messages = found.map(({ status }) => status?.containerStatuses?.[0]?.state?.terminated?.message);
      expect(messages, JSON.stringify(found.map(({ status }) => status))).to.deep.equal(['{"create":200,"list":403}']);
      return found;
    });
    expect((await federation.host.get(configMaps, ref('made'))).data).to.have.key('by');
    const copy = await federation.client(MEMBER).get(pods, ref(ended!.metadata!.name!));
    expect(copy.spec?.serviceAccountName).to.equal('writer');
    await eventually(async () => {
      expect((await federation.host.get(jobs, ref('client'))).status?.succeeded).to.equal(1);
    });
  });

  it('show in files and variables, and what changes in the host changes in the container', async () => {
    await configMap('settings', { color: 'red' });
    await federation.host.create(secrets, { metadata: ref('login'), stringData: { password: 'much-too-secret' } });
    const variable = (name: string, source: object): NonNullable<PodSpec['containers'][0]['env']>[0] => ({
      name,
      valueFrom: source,
    });
    const env = [
      variable('PASSWORD', { secretKeyRef: { name: 'login', key: 'password' } }),
      variable('NONE', { configMapKeyRef: { name: 'none', key: 'k', optional: true } }),
    ];
    const volumeMounts = ['settings', 'late'].map((name) => ({ name, mountPath: `/${name}` }));
    const volumes = [
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'late', configMap: { name: 'late', optional: true } },
    ];
    await sleeper('reader', { containers: [{ name: 'main', env, volumeMounts }], volumes });
    expect(await output('reader', 'cat', '/settings/color')).to.equal('red');
    expect(await output('reader', 'sh', '-c', 'echo "$PASSWORD ${NONE-unset} $(ls /late)"')).to.equal(
      'much-too-secret unset',
    );
    const { stdout: yaml } = await federation.lab
      .cluster(MEMBER)
      .kubectl(['-n', NAMESPACE, 'get', 'pod', 'reader', '-o', 'yaml']);
    expect(yaml).to.include('secretKeyRef').and.not.include('much-too-secret');
    await federation.host.patch(configMaps, ref('settings'), { data: { color: 'blue' } }, { type: 'merge' });
    await configMap('late', { came: 'yes' });
    await eventually(
      async () => {
        await nudge('reader');
        expect(await output('reader', 'cat', '/settings/color')).to.equal('blue');
        expect(await output('reader', 'cat', '/late/came')).to.equal('yes');
      },
      { intervalMs: 1_000, timeoutMs: 120_000 },
    );
  });

  it('are waited for when they are missing, with the Event of a kubelet', async () => {
    const volumes = [{ name: 'data', configMap: { name: 'awaited' } }];
    await federation.host.create(pods, virtualPod({ ...ref('waiting'), spec: { volumes } }));
    const event = await federation.event('FailedMount', ref('waiting'));
    expect(event.message).to.equal('MountVolume.SetUp failed for volume "data" : configmap "awaited" not found');
    expect(event.source?.component).to.equal('kosmos-manager');
    await configMap('awaited', {});
    await eventually(async () => expect(await federation.pod(MEMBER, ref('waiting'))).to.not.equal(undefined));
    await federation.host.delete(pods, ref('waiting'));
  });

  it('renew a mounted token, which is worth nothing once its pod is gone', async () => {
    const projection = { serviceAccountToken: { path: 'token', expirationSeconds: 600 } };
    const volumes = [{ name: 'tokens', projected: { sources: [projection] } }];
    const volumeMounts = [{ name: 'tokens', mountPath: '/var/run/secrets/tokens' }];
    const spec = { containers: [{ name: 'main', volumeMounts }], volumes, automountServiceAccountToken: false };
    const pod = await sleeper('bearer', spec);
    const first = await output('bearer', 'cat', TOKEN_FILE);
    const claims = claimsOf(first);
    expect(claims.exp - claims.iat).to.equal(600);
    expect(claims['kubernetes.io'].pod).to.deep.equal({ name: 'bearer', uid: pod.metadata!.uid! });
    const second = await eventually(
      async () => {
        await nudge('bearer');
        const token = await output('bearer', 'cat', TOKEN_FILE);
        expect(token).to.not.equal(first);
        return token;
      },
      { intervalMs: 1_000, timeoutMs: 120_000 },
    );
    const kubeconfig = readFileSync(federation.lab.host.kubeconfigPath, 'utf8');
    const user = `system:serviceaccount:${NAMESPACE}:default`;
    expect(await userOfToken(kubeconfig, second)).to.equal(user);
    await federation.host.delete(pods, ref('bearer'), { gracePeriodSeconds: 1 });
    await federation.podGone('host', ref('bearer'));
    await eventually(async () => {
      expect([await userOfToken(kubeconfig, first), await userOfToken(kubeconfig, second)]).to.deep.equal([
        undefined,
        undefined,
      ]);
    });
  });

  it('leave nothing behind in the member', async () => {
    await federation.host.delete(jobs, ref('client'), { propagationPolicy: 'Background' });
    await federation.host.delete(pods, ref('reader'), { gracePeriodSeconds: 0 });
    const selector = { namespace: NAMESPACE, labelSelector: `kosmos.io/cluster=${MEMBER}` };
    await eventually(async () => {
      for (const type of [pods, configMaps, secrets, serviceAccounts]) {
        const { items } = await federation.client(MEMBER).list<Pod>(type, selector);
        expect(items.map(({ metadata }) => metadata?.name)).to.deep.equal([]);
      }
    });
  });
});
