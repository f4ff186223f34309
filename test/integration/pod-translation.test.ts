import { expect } from 'chai';
import type { LabCluster } from '../../hack/lab/cluster.js';
import { Lab } from '../../hack/lab/lab.js';
import { waitFor } from '../../hack/lab/run.js';
import type { Pod, PodStatus } from '../../src/apis/core.js';
import { failedStatus } from '../../src/clustertree/pod/failed-status.js';
import { keepOwnedKeys } from '../../src/clustertree/cluster/owned-keys.js';
import { mergeStatus } from '../../src/clustertree/pod/status.js';
import { statusPatch } from '../../src/clustertree/pod/status-patch.js';
import { translatePod } from '../../src/clustertree/pod/translate.js';
import { diffPod, specState } from '../../src/clustertree/pod/update.js';
import { CONTEXT } from '../support/pods.js';

const INSTANCE = 'test-pod-translation';
const PODS = '/api/v1/namespaces/demo/pods';
const MANAGER = 'fieldManager=kosmos-manager';
const STRATEGIC = 'application/strategic-merge-patch+json';
const PATIENCE = { timeoutMs: 30_000, intervalMs: 200 };
const CAPACITY = { cpu: '8', memory: '8Gi', pods: '110' };
const LABELS = { app: 'web', 'pod-template-hash': 'abc' };

function ready(pod: Pod): string | undefined {
  return pod.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
}

describe('pods translated between real API servers', () => {
  let lab: Lab;
  let host: LabCluster;
  let member: LabCluster;

  const read = async (cluster: LabCluster, name: string): Promise<Pod> =>
    (await cluster.api.json('GET', `${PODS}/${name}`)) as Pod;
  const patch = async (cluster: LabCluster, path: string, body: object): Promise<Pod> =>
    (await cluster.api.json('PATCH', `${PODS}/${path}${path.includes('?') ? '' : `?${MANAGER}`}`, {
      body,
      contentType: STRATEGIC,
    })) as Pod;

  /** Makes the pod in the host, bound to the virtual node, as its API server and admission complete it. */
  async function makeHostPod(name: string, parts: { metadata?: object; spec?: object } = {}): Promise<Pod> {
    const spec = { containers: [{ name: 'app', image: 'app:1' }], nodeName: 'kosmos-member1', ...parts.spec };
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: LABELS, ...parts.metadata }, spec };
    return (await host.api.json('POST', PODS, { body })) as Pod;
  }

  /** Makes its copy in the member, as the manager does. */
  async function makeMemberPod(hostPod: Pod): Promise<Pod> {
    const translation = translatePod(hostPod, CONTEXT);
    if (translation.kind !== 'pod') throw new Error(JSON.stringify(translation));
    const path = `${PODS}?${MANAGER}&fieldValidation=Strict`;
    return (await member.api.json('POST', path, { body: translation.pod })) as Pod;
  }

  /** Carries over what has changed in the host pod, and returns the member pod; fails when one round is not enough. */
  async function update(name: string): Promise<Pod> {
    const hostPod = await read(host, name);
    const translation = translatePod(hostPod, CONTEXT);
    if (translation.kind !== 'pod') throw new Error(JSON.stringify(translation));
    const actual = keepOwnedKeys(await read(member, name));
    const changes = diffPod(translation.wanted, actual, specState(hostPod));
    if (changes?.metadataAndSpec) await patch(member, name, changes.metadataAndSpec);
    if (changes?.ephemeralContainers) await patch(member, `${name}/ephemeralcontainers`, changes.ephemeralContainers);
    if (changes?.resize) await patch(member, `${name}/resize`, changes.resize);
    const after = await read(member, name);
    expect(diffPod(translation.wanted, keepOwnedKeys(after), specState(hostPod))).to.be.undefined;
    return after;
  }

  /** Writes the status to the host pod; fails when the API server keeps something else than was meant. */
  async function writeStatus(hostPod: Pod, desired: (pod: Pod) => PodStatus, memberUid?: string): Promise<Pod> {
    const body = statusPatch(hostPod, desired(hostPod), { memberUid });
    const after = body ? await patch(host, `${hostPod.metadata?.name}/status`, body) : hostPod;
    expect(statusPatch(after, desired(after), { memberUid })).to.be.undefined;
    return after;
  }

  before(async () => {
    await Lab.down(INSTANCE);
    lab = await Lab.up({ instance: INSTANCE, members: 1, nodes: 2 });
    host = lab.host;
    member = lab.cluster('member1');
    await host.api.json('POST', '/api/v1/nodes', {
      body: { metadata: { name: 'kosmos-member1' }, status: { capacity: CAPACITY, allocatable: CAPACITY } },
    });
    for (const cluster of [host, member]) {
      await cluster.ensureNamespace('demo');
      await waitFor(
        'the default service account',
        async () => {
          const { code } = await cluster.kubectl(['-n', 'demo', 'get', 'sa', 'default'], { allowFailure: true });
          return code === 0 ? true : undefined;
        },
        PATIENCE,
      );
    }
  });
  after(async () => {
    await Lab.down(INSTANCE);
  });

  it('makes a pod that the member accepts and that asks for no token of the member', async () => {
    const hostPod = await makeHostPod('plain');
    expect(JSON.stringify(hostPod.spec)).to.contain('kube-api-access-');
    const memberPod = await makeMemberPod(hostPod);
    const spec = JSON.stringify(memberPod.spec);
    expect(spec).to.not.contain('serviceAccountToken"');
    expect(spec).to.contain(`kosmos-token-${hostPod.metadata?.uid ?? ''}`);
    expect(spec).to.contain('master-root-ca.crt');
    expect(memberPod.metadata?.annotations).to.include({ 'kosmos.io/host-uid': hostPod.metadata?.uid });
    expect(diffPod(memberPod, keepOwnedKeys(memberPod), 'pending')).to.be.undefined;
    expect(specState(hostPod)).to.equal('applied');
  });

  it('makes pods of selectors that the host has already completed', async () => {
    const selector = { labelSelector: { matchLabels: { app: 'web' } }, matchLabelKeys: ['pod-template-hash'] };
    const term = { ...selector, topologyKey: 'topology.kubernetes.io/zone' };
    const spread = (topologyKey: string): object => ({
      ...selector,
      topologyKey,
      maxSkew: 1,
      minDomains: 2,
      whenUnsatisfiable: 'DoNotSchedule',
    });
    const hostPod = await makeHostPod('selectors', {
      spec: {
        affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
        topologySpreadConstraints: [
          spread('kosmos.io/cluster'),
          spread('topology.kubernetes.io/zone'),
          spread('kubernetes.io/hostname'),
        ],
      },
    });
    const memberPod = await makeMemberPod(hostPod);
    const keys = memberPod.spec?.topologySpreadConstraints?.map((constraint) => constraint.topologyKey);
    expect(keys).to.deep.equal(['topology.kubernetes.io/zone', 'kubernetes.io/hostname']);
  });

  it('makes pods whose optional objects are missing', async () => {
    const reference = { name: 'missing', optional: true };
    const hostPod = await makeHostPod('optional', {
      spec: {
        containers: [
          {
            name: 'app',
            image: 'app:1',
            envFrom: [{ configMapRef: reference }],
            env: [{ name: 'UID', valueFrom: { fieldRef: { fieldPath: 'metadata.uid' } } }],
            volumeMounts: ['c', 's', 'p', 'd'].map((name) => ({ name, mountPath: `/${name}` })),
          },
        ],
        volumes: [
          { name: 'c', configMap: reference },
          { name: 's', secret: { secretName: 'missing', optional: true } },
          { name: 'p', projected: { sources: [{ secret: reference }] } },
          { name: 'd', downwardAPI: { items: [{ path: 'uid', fieldRef: { fieldPath: 'metadata.uid' } }] } },
        ],
      },
    });
    const memberPod = await makeMemberPod(hostPod);
    expect(memberPod.spec?.containers[0]?.env).to.deep.equal([{ name: 'UID', value: hostPod.metadata?.uid }]);
    expect(memberPod.spec?.containers[0]?.envFrom).to.deep.equal([{ configMapRef: reference }]);
  });

  it('carries labels, annotations, image, deadline and tolerations over, and leaves those of others', async () => {
    const name = 'updated';
    await makeMemberPod(
      await makeHostPod(name, { metadata: { labels: { ...LABELS, old: 'x' }, annotations: { note: 'a' } } }),
    );
    await patch(member, `${name}?fieldManager=cni`, {
      metadata: { labels: { mesh: 'on' }, annotations: { ip: '10.0.0.1' } },
    });
    const spec = await read(host, name);
    await patch(host, `${name}?fieldManager=user`, {
      metadata: { labels: { old: null, app: 'web2' }, annotations: { note: null } },
      spec: {
        containers: [{ name: 'app', image: 'app:2' }],
        activeDeadlineSeconds: 3600,
        tolerations: [...(spec.spec?.tolerations ?? []), { key: 'gpu', operator: 'Exists' }],
      },
    });
    const after = await update(name);
    expect(after.metadata?.labels).to.include({ mesh: 'on', app: 'web2' }).and.not.have.property('old');
    expect(after.metadata?.annotations).to.include({ ip: '10.0.0.1' }).and.not.have.property('note');
    expect(after.spec?.containers[0]?.image).to.equal('app:2');
    expect(after.spec?.activeDeadlineSeconds).to.equal(3600);
    expect(after.spec?.tolerations).to.deep.include({ key: 'gpu', operator: 'Exists' });
  });

  it('carries debug containers and new resources over', async () => {
    const name = 'debugged';
    const resources = { requests: { cpu: '100m' }, limits: { cpu: '1000m' } };
    // A pod without a place, because a KWOK node does not say that it can resize.
    const nodeSelector = { 'kubernetes.io/os': 'plan9' };
    const spec = { containers: [{ name: 'app', image: 'app:1', resources }], nodeSelector };
    await makeMemberPod(await makeHostPod(name, { spec }));
    const debug = { name: 'debug', image: 'busybox:1' };
    await patch(host, `${name}/ephemeralcontainers?fieldManager=user`, { spec: { ephemeralContainers: [debug] } });
    const more = { containers: [{ name: 'app', resources: { requests: { cpu: '0.25' } } }] };
    await patch(host, `${name}/resize?fieldManager=user`, { spec: more });
    const after = await update(name);
    expect(after.spec?.ephemeralContainers?.map((container) => container.name)).to.deep.equal(['debug']);
    expect(after.spec?.containers[0]?.resources?.requests).to.deep.equal({ cpu: '250m' });
  });

  it('mirrors the status of a running pod, and what comes after', async () => {
    const name = 'running';
    const gate = 'example.org/gate';
    const hostPod = await makeHostPod(name, { spec: { readinessGates: [{ conditionType: gate }] } });
    await makeMemberPod(hostPod);
    const running = await waitFor(
      'the member pod to run',
      async () => {
        const pod = await read(member, name);
        return pod.status?.phase === 'Running' ? pod : undefined;
      },
      PATIENCE,
    );
    const merge = (pod: Pod): PodStatus => mergeStatus(pod, running, { inStep: true });
    const first = await writeStatus(hostPod, merge, running.metadata?.uid);
    expect(first.metadata?.annotations).to.include({ 'kosmos.io/member-uid': running.metadata?.uid });
    expect(first.status).to.include({ phase: 'Running', podIP: running.status?.podIP, observedGeneration: 1 });
    expect(ready(first)).to.equal('False');

    const conditions = [{ type: gate, status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }];
    const gated = await patch(host, `${name}/status?fieldManager=gate`, { status: { conditions } });
    const second = await writeStatus(gated, merge);
    expect(ready(second)).to.equal('True');

    const podIPs = [{ ip: '10.99.0.1' }, { ip: 'fd00::1' }];
    const kept = (running.status?.conditions ?? []).filter(({ type }) => type !== 'Initialized');
    const changed = { ...running, status: { ...running.status, podIP: '10.99.0.1', podIPs, conditions: kept } };
    const moved = await writeStatus(second, (pod) => mergeStatus(pod, changed, { inStep: true }));
    expect(moved.status).to.deep.include({ podIPs });
    expect(JSON.stringify(moved.status?.conditions)).to.contain(gate).and.not.contain('"Initialized"');

    const lost = { reason: 'MemberPodLost', message: 'It is gone.', disruption: true, now: Date.UTC(2026, 0, 1) };
    const failed = await writeStatus(moved, (pod) => failedStatus(pod, lost));
    expect(failed.status).to.include({ phase: 'Failed', reason: 'MemberPodLost' });
    expect(JSON.stringify(failed.status?.containerStatuses)).to.contain('"exitCode":137').and.not.contain('"running"');
  });

  it('shows why the member has no place for a pod', async () => {
    const name = 'waiting';
    const hostPod = await makeHostPod(name, { spec: { nodeSelector: { 'kubernetes.io/os': 'plan9' } } });
    await makeMemberPod(hostPod);
    const waiting = await waitFor(
      'the member scheduler to give up',
      async () => {
        const pod = await read(member, name);
        return pod.status?.conditions?.length ? pod : undefined;
      },
      PATIENCE,
    );
    const after = await writeStatus(
      hostPod,
      (pod) => mergeStatus(pod, waiting, { inStep: true }),
      waiting.metadata?.uid,
    );
    const shown = after.status?.conditions?.find(({ type }) => type === 'kosmos.io/MemberScheduled');
    expect(shown).to.include({ status: 'False', reason: 'Unschedulable' });
  });

  it('has every patch refused for another pod of that name', async () => {
    const hostPod = await makeHostPod('stale');
    const other = { ...hostPod, metadata: { ...hostPod.metadata, uid: '00000000-0000-0000-0000-000000000000' } };
    const body = statusPatch(other, { phase: 'Running' });
    const answer = patch(host, 'stale/status', body ?? {}).then(
      () => 'accepted',
      (error: unknown) => (error as { status: number }).status,
    );
    expect(await answer).to.be.oneOf([409, 422]);
  });
});
