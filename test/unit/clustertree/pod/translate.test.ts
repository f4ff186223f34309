import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import {
  type TranslateContext,
  type Translation,
  translatePod,
  wantedPod,
} from '../../../../src/clustertree/pod/translate.js';
import { APP, asJson, CONTEXT, deepFreeze, hostPod, type PodParts } from '../../../support/pods.js';

type Made = Extract<Translation, { kind: 'pod' }>;

function made(parts: PodParts = {}, context: Partial<TranslateContext> = {}): Made {
  const translation = translatePod(deepFreeze(hostPod(parts)), { ...CONTEXT, ...context });
  if (translation.kind !== 'pod') throw new Error(JSON.stringify(translation));
  return translation;
}

function refusals(parts: PodParts, context: Partial<TranslateContext> = {}): string[] {
  const translation = translatePod(deepFreeze(hostPod(parts)), { ...CONTEXT, ...context });
  return translation.kind === 'refused' ? translation.reasons.map(({ path, reason }) => `${path} ${reason}`) : [];
}

function spec(parts: PodParts['spec'] = {}, context: Partial<TranslateContext> = {}): Record<string, unknown> {
  return asJson(made({ spec: parts }, context).pod.spec) as Record<string, unknown>;
}

describe('translatePod: metadata', () => {
  it('keeps name and namespace, marks the pod as ours and remembers the host UID', () => {
    expect(asJson(made().pod.metadata)).to.deep.equal({
      name: 'web-0',
      namespace: 'shop',
      labels: {
        'kosmos-io/pod': 'true',
        'kosmos.io/host-cluster': 'host-cluster-uid',
        'kosmos.io/cluster': 'member1',
        'kosmos.io/owner': 'owner1',
      },
      annotations: { 'kosmos.io/host-uid': 'host-uid' },
    });
  });

  it("keeps the user's labels and annotations", () => {
    const { metadata } = made({ metadata: { labels: { app: 'web' }, annotations: { note: 'x' } } }).pod;
    expect(metadata?.labels).to.include({ app: 'web' });
    expect(metadata?.annotations).to.include({ note: 'x' });
  });

  it('lets no user pretend to be another host, Cluster or pod', () => {
    const { metadata } = made({
      metadata: {
        uid: 'host-uid',
        labels: { 'kosmos.io/host-cluster': 'x', 'kosmos.io/cluster': 'x', 'kosmos.io/owner': 'x' },
        annotations: { 'kosmos.io/host-uid': 'x' },
      },
    }).pod;
    expect(metadata?.labels).to.deep.equal(made().pod.metadata?.labels);
    expect(metadata?.annotations).to.deep.equal({ 'kosmos.io/host-uid': 'host-uid' });
  });

  it('does not carry what belongs to the host alone', () => {
    const { metadata } = made({
      metadata: {
        uid: 'host-uid',
        resourceVersion: '7',
        generation: 4,
        generateName: 'web-',
        creationTimestamp: '2026-01-01T00:00:00Z',
        finalizers: ['batch.kubernetes.io/job-tracking'],
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true }],
        managedFields: [{ manager: 'kubectl' }],
        annotations: { 'kosmos.io/member-uid': 'm' },
      },
    }).pod;
    expect(Object.keys(metadata ?? {})).to.have.members(['name', 'namespace', 'labels', 'annotations']);
    expect(metadata?.annotations).to.deep.equal({ 'kosmos.io/host-uid': 'host-uid' });
  });

  it('carries no status', () => {
    expect(made({ status: { phase: 'Running' } }).pod).not.to.have.property('status');
  });

  it('gives the same pod for the same host pod', () => {
    const pod = hostPod({ spec: { nodeSelector: { b: '1', a: '2' } } });
    expect(JSON.stringify(translatePod(pod, CONTEXT))).to.equal(JSON.stringify(translatePod(pod, CONTEXT)));
  });
});

describe('translatePod: spec', () => {
  it('is as small as the host pod is', () => {
    expect(spec()).to.deep.equal({ containers: [APP], automountServiceAccountToken: false, enableServiceLinks: false });
  });

  it('copies fields that it does not know, so that the member decides about them', () => {
    expect(spec({ fieldOf2030: { a: 1 } } as PodParts['spec'])).to.deep.include({ fieldOf2030: { a: 1 } });
  });

  it("leaves the choice of a node to the member's scheduler", () => {
    expect(spec({ nodeName: 'kosmos-member1' })).not.to.have.property('nodeName');
  });

  it('names the node when the virtual node stands for one', () => {
    expect(spec({}, { mode: { node: 'worker-3' } })).to.include({ nodeName: 'worker-3' });
  });

  it('restricts the pod to the party that the virtual node stands for', () => {
    const mode = { party: { matchLabels: { pool: 'a' } } };
    expect(spec({}, { mode })['affinity']).to.deep.equal({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'pool', operator: 'In', values: ['a'] }] }],
        },
      },
    });
  });

  for (const [schedulerName, kept] of [
    ['kosmos-scheduler', false],
    ['default-scheduler', false],
    ['volcano', true],
  ] as const) {
    it(`${kept ? 'keeps' : 'drops'} the scheduler ${schedulerName}`, () => {
      expect(spec({ schedulerName })['schedulerName']).to.equal(kept ? schedulerName : undefined);
    });
  }

  it("runs under an account of the same name, without any token of the member's", () => {
    const result = made({
      spec: { serviceAccountName: 'robot', serviceAccount: 'robot', automountServiceAccountToken: true },
    });
    expect(result.pod.spec).to.include({ serviceAccountName: 'robot', automountServiceAccountToken: false });
    expect(result.pod.spec).not.to.have.property('serviceAccount');
    expect(result.requirements.serviceAccountName).to.equal('robot');
  });

  it('requires all that the pod refers to, in its namespace', () => {
    const parts = { envFrom: [{ configMapRef: { name: 'c' } }, { secretRef: { name: 's', optional: true } }] };
    expect(made({ spec: { containers: [{ ...APP, ...parts }] } }).requirements).to.deep.equal({
      namespace: 'shop',
      serviceAccountName: 'default',
      configMaps: [{ name: 'c', optional: false, use: { container: 'app' } }],
      secrets: [{ name: 's', optional: true, use: { container: 'app' } }],
      tokens: [],
      claims: [],
    });
  });

  it("gives the host's services to all kinds of containers and switches the member's off", () => {
    const services = [
      { metadata: { namespace: 'shop', name: 'db' }, spec: { clusterIP: '10.96.0.9', ports: [{ port: 80 }] } },
    ];
    const parts = { initContainers: [APP], ephemeralContainers: [APP], enableServiceLinks: true };
    const { wanted } = made({ spec: parts }, { services });
    for (const list of ['containers', 'initContainers', 'ephemeralContainers'] as const) {
      expect(wanted.spec?.[list]?.[0]?.env?.[0]).to.deep.equal({ name: 'DB_SERVICE_HOST', value: '10.96.0.9' });
    }
    expect(wanted.spec?.enableServiceLinks).to.be.false;
  });

  it('respects a pod that wants no service links', () => {
    const services = [
      { metadata: { namespace: 'shop', name: 'db' }, spec: { clusterIP: '10.96.0.9', ports: [{ port: 80 }] } },
    ];
    expect(spec({ enableServiceLinks: false }, { services })['containers']).to.deep.equal([APP]);
  });

  it('leaves readiness gates and the scheduling group behind, and no pull secrets', () => {
    const { pod, dropped } = made({
      spec: {
        readinessGates: [{ conditionType: 'a/b' }],
        schedulingGroup: { podGroupName: 'g' },
        imagePullSecrets: [{ name: 'registry' }],
      },
    });
    expect(pod.spec).not.to.have.any.keys('readinessGates', 'schedulingGroup');
    expect(pod.spec?.imagePullSecrets).to.deep.equal([{ name: 'registry' }]);
    expect(dropped.map(({ path, event }) => [path, event])).to.deep.equal([
      ['spec.readinessGates', undefined],
      ['spec.schedulingGroup', undefined],
    ]);
  });
});

describe('translatePod: classes', () => {
  const set = (name: string): Set<string> => new Set([name]);

  it('keeps a PriorityClass that the member has, or may have, without its numbers', () => {
    const parts = { priorityClassName: 'high', priority: 1000, preemptionPolicy: 'Never' };
    for (const context of [{}, { memberPriorityClasses: set('high') }]) {
      const result = spec(parts, context);
      expect(result['priorityClassName']).to.equal('high');
      expect(result).not.to.have.any.keys('priority', 'preemptionPolicy');
    }
  });

  it('reports a PriorityClass that the member lacks and runs the pod without it', () => {
    const { pod, dropped } = made(
      { spec: { priorityClassName: 'high', priority: 1000 } },
      { memberPriorityClasses: set('low') },
    );
    expect(pod.spec?.priorityClassName).to.be.undefined;
    expect(dropped).to.have.lengthOf(1);
    expect(dropped[0]).to.include({ path: 'spec.priorityClassName', event: 'PriorityClassMissing' });
    expect(dropped[0]?.message).to.contain('high').and.contain('member1');
  });

  it('drops the numbers of a pod without PriorityClass', () => {
    expect(spec({ priority: 0, priorityClassName: '' })).not.to.have.any.keys('priority', 'priorityClassName');
  });

  it("keeps a RuntimeClass that the member has, or may have, and lets it set the member's overhead", () => {
    const parts = { runtimeClassName: 'gvisor', overhead: { cpu: '100m' } };
    for (const context of [{}, { memberRuntimeClasses: set('gvisor') }]) {
      const result = spec(parts, context);
      expect(result['runtimeClassName']).to.equal('gvisor');
      expect(result).not.to.have.property('overhead');
    }
  });

  it('refuses a pod whose RuntimeClass the member lacks: it would run in another way', () => {
    expect(refusals({ spec: { runtimeClassName: 'gvisor' } }, { memberRuntimeClasses: set('kata') })).to.deep.equal([
      'spec.runtimeClassName RuntimeClassMissing',
    ]);
  });
});

describe('translatePod: refusals', () => {
  const TAKEN = 'kosmos-token-of-another';

  it('names every reason at once', () => {
    const parts = {
      volumes: [{ name: 'c', glusterfs: { endpoints: 'e', path: '/' } }],
      initContainers: [{ name: 'init', env: [{ name: 'K', valueFrom: { secretKeyRef: { name: TAKEN, key: 'k' } } }] }],
      containers: [{ ...APP, envFrom: [{ configMapRef: { name: 'master-root-ca.crt' } }] }],
    };
    expect(refusals({ spec: parts })).to.deep.equal([
      'spec.volumes[c].glusterfs.endpoints NeedsEndpoints',
      'spec.initContainers[init].env[K].valueFrom.secretKeyRef ReservedName',
      'spec.containers[app].envFrom[0].configMapRef ReservedName',
    ]);
  });

  it('refuses resource claims wherever they stand', () => {
    const claims = { claims: [{ name: 'gpu' }] };
    const parts = {
      resourceClaims: [{ name: 'gpu', resourceClaimName: 'g' }],
      containers: [{ ...APP, resources: claims }],
      initContainers: [{ name: 'init', resources: claims }],
      resources: claims,
    };
    expect(refusals({ spec: parts })).to.deep.equal([
      'spec.resourceClaims[gpu] NeedsResourceClaim',
      'spec.resources.claims NeedsResourceClaim',
      'spec.initContainers[init].resources.claims NeedsResourceClaim',
      'spec.containers[app].resources.claims NeedsResourceClaim',
    ]);
  });

  it('refuses static pods', () => {
    expect(refusals({ metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } })).to.deep.equal([
      'metadata.annotations[kubernetes.io/config.mirror] StaticPod',
    ]);
  });

  it('refuses a bad cluster selector', () => {
    expect(refusals({ metadata: { annotations: { 'kosmos.io/cluster-selector': '{' } } })).to.deep.equal([
      'metadata.annotations[kosmos.io/cluster-selector] InvalidClusterSelector',
    ]);
  });

  it('survives a pod without metadata and spec', () => {
    const translation = translatePod({ apiVersion: 'v1', kind: 'Pod' } satisfies Pod, CONTEXT);
    expect(translation).to.deep.include({
      kind: 'pod',
      requirements: {
        ...{ namespace: '', serviceAccountName: 'default' },
        ...{ configMaps: [], secrets: [], tokens: [], claims: [] },
      },
    });
  });
});

describe('translatePod: DaemonSets', () => {
  const owner = (more: object = {}): NonNullable<PodParts['metadata']>['ownerReferences'] => [
    { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'u', controller: true, ...more },
  ];
  const kind = (metadata: PodParts['metadata']): string => translatePod(hostPod({ metadata: metadata! }), CONTEXT).kind;

  it('does not translate their pods, and names the cure', () => {
    const translation = translatePod(hostPod({ metadata: { ownerReferences: owner() } }), CONTEXT);
    expect(translation).to.include({ kind: 'daemonset', reason: 'DaemonSetNotAllowed' });
    expect(JSON.stringify(translation)).to.contain('kosmos-io/daemonset-allow');
  });

  it('translates pods that are allowed', () => {
    const annotations = { 'kosmos-io/daemonset-allow': 'true' };
    expect(kind({ ownerReferences: owner(), annotations })).to.equal('pod');
    expect(kind({ ownerReferences: owner(), annotations: { 'kosmos-io/daemonset-allow': '' } })).to.equal('pod');
  });

  it('does not take "false" for a permission', () => {
    expect(kind({ ownerReferences: owner(), annotations: { 'kosmos-io/daemonset-allow': 'false' } })).to.equal(
      'daemonset',
    );
  });

  it('minds only the controlling DaemonSet of Kubernetes', () => {
    expect(kind({ ownerReferences: owner({ controller: false }) })).to.equal('pod');
    expect(kind({ ownerReferences: owner({ apiVersion: 'kruise.io/v1' }) })).to.equal('pod');
    expect(kind({ ownerReferences: owner({ kind: 'ReplicaSet' }) })).to.equal('pod');
  });
});

describe('translatePod: ephemeral containers', () => {
  const debug = { name: 'debug', image: 'busybox', targetContainerName: 'app' };

  it('keeps them out of the pod to create and in the pod to compare with', () => {
    const { pod, wanted } = made({ spec: { ephemeralContainers: [debug] } });
    expect(pod.spec).not.to.have.property('ephemeralContainers');
    expect(asJson(wanted.spec?.ephemeralContainers)).to.deep.equal([debug]);
  });

  it('compares with the pod to create when there are none', () => {
    const { pod, wanted } = made();
    expect(wanted).to.equal(pod);
  });

  it('leaves out and reports one that can not be had, and runs the pod', () => {
    const bad = { name: 'bad', envFrom: [{ configMapRef: { name: 'master-root-ca.crt' } }] };
    const { wanted, dropped } = made({ spec: { ephemeralContainers: [bad, debug] } });
    expect(wanted.spec?.ephemeralContainers?.map(({ name }) => name)).to.deep.equal(['debug']);
    expect(dropped.map(({ path, event }) => [path, event])).to.deep.equal([
      ['spec.ephemeralContainers[bad]', 'ReservedName'],
    ]);
  });
});

describe('wantedPod', () => {
  const pod = hostPod({ metadata: { uid: 'host-uid', labels: { app: 'web' } } });

  it('is the translation of a spec that has to be carried over', () => {
    for (const state of ['pending', 'unknown'] as const) {
      expect(wantedPod(pod, CONTEXT, state)).to.deep.equal(made({ metadata: pod.metadata! }).wanted);
    }
  });

  it('is the metadata alone of one that has been', () => {
    expect(wantedPod(pod, CONTEXT, 'applied')).to.deep.equal({
      metadata: made({ metadata: pod.metadata! }).pod.metadata,
    });
  });

  it('is nothing for a pod that could not be made now, so that what runs is left alone', () => {
    const volumes = [{ name: 'c', glusterfs: { endpoints: 'e', path: '/' } }];
    expect(wantedPod(hostPod({ spec: { volumes } }), CONTEXT, 'pending')).to.be.undefined;
  });
});
