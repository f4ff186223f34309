import { expect } from 'chai';
import fc from 'fast-check';
import type { Container, Pod, Toleration } from '../../../../src/apis/core.js';
import { OWN_TOLERATIONS_ANNOTATION } from '../../../../src/apis/names.js';
import { diffPod, type PodChanges, type SpecState, specState } from '../../../../src/clustertree/pod/update.js';
import { APP, asJson, deepFreeze, hostPod, memberPod, type PodParts } from '../../../support/pods.js';
import { applyStrategic } from '../../../support/strategic-merge.js';

const UID = { uid: 'member-uid' };

function diff(wanted: PodParts, actual: PodParts, state: SpecState = 'pending'): unknown {
  const changes = diffPod(deepFreeze(memberPod(wanted)), deepFreeze(memberPod(actual)), state);
  return changes && asJson(changes);
}

function specDiff(wanted: PodParts['spec'], actual: PodParts['spec'], state: SpecState = 'pending'): unknown {
  const changes = diff({ spec: wanted! }, { spec: actual! }, state) as Record<string, { spec: unknown }> | undefined;
  return changes && Object.fromEntries(Object.entries(changes).map(([name, patch]) => [name, patch.spec]));
}

function metadata(labels: Record<string, string>, annotations: Record<string, string>, owned: string[] = []): PodParts {
  const leaves = Object.fromEntries(owned.map((key) => [`f:${key}`, {}]));
  const fieldsV1 = { 'f:metadata': { 'f:labels': leaves, 'f:annotations': leaves } };
  return { metadata: { ...UID, labels, annotations, managedFields: [{ manager: 'kosmos-manager', fieldsV1 }] } };
}

describe('specState', () => {
  const rows: [string, number | undefined, number | undefined, SpecState][] = [
    ['a host that counts no generations', undefined, undefined, 'unknown'],
    ['a pod that was never changed', 1, undefined, 'applied'],
    ['a change that the status has not seen', 2, 1, 'pending'],
    ['a change that no status has told of', 2, undefined, 'pending'],
    ['a change that the status has seen', 2, 2, 'applied'],
  ];
  for (const [name, generation, observedGeneration, state] of rows) {
    it(`is ${state} for ${name}`, () => {
      expect(specState(hostPod({ metadata: { generation }, status: { observedGeneration } }))).to.equal(state);
    });
  }

  it('is applied for a change that only a disconnection policy made, and pending for the next one', () => {
    const record = JSON.stringify({ tolerations: [], uid: 'host-uid', generation: 2 });
    const pod = (generation: number): ReturnType<typeof hostPod> =>
      hostPod({ metadata: { uid: 'host-uid', generation, annotations: { [OWN_TOLERATIONS_ANNOTATION]: record } } });
    expect([specState(pod(2)), specState(pod(3))]).to.deep.equal(['applied', 'pending']);
  });
});

describe('diffPod: labels and annotations', () => {
  it('finds no difference between equals', () => {
    expect(diff({}, {})).to.be.undefined;
  });

  it('sets what is new or different, with the UID that it means', () => {
    const wanted = metadata({ app: 'b', tier: 'x' }, { note: 'new' });
    expect(diff(wanted, metadata({ app: 'a' }, { note: 'old' }))).to.deep.equal({
      metadataAndSpec: { metadata: { ...UID, labels: { app: 'b', tier: 'x' }, annotations: { note: 'new' } } },
    });
  });

  it('leaves keys alone that others added in the member', () => {
    expect(diff(metadata({}, {}), metadata({ mesh: 'x' }, { 'cni/ip': '10.0.0.1' }))).to.be.undefined;
  });

  it('removes keys that we once copied and the host pod has no longer', () => {
    const actual = metadata({ app: 'a', mesh: 'x' }, { note: 'a', cni: 'y' }, ['app', 'note', 'gone']);
    expect(diff(metadata({}, {}), actual)).to.deep.equal({
      metadataAndSpec: { metadata: { ...UID, labels: { app: null }, annotations: { note: null } } },
    });
  });

  it('compares them also when the spec has been carried over', () => {
    expect(diff(metadata({ app: 'b' }, {}), metadata({ app: 'a' }, {}), 'applied')).to.deep.equal({
      metadataAndSpec: { metadata: { ...UID, labels: { app: 'b' } } },
    });
  });

  it('works on pods without metadata', () => {
    expect(diffPod({ spec: { containers: [] } }, { spec: { containers: [] } }, 'pending')).to.be.undefined;
  });
});

describe('diffPod: spec', () => {
  const image = (name: string, tag: string): Container => ({ name, image: `${name}:${tag}` });

  it('changes the images of containers and init containers, and nothing else of them', () => {
    const wanted = {
      containers: [{ ...image('a', '2'), tty: true }, image('b', '1')],
      initContainers: [image('i', '2')],
    };
    const actual = { containers: [image('a', '1'), image('b', '1')], initContainers: [image('i', '1')] };
    expect(specDiff(wanted, actual)).to.deep.equal({
      metadataAndSpec: {
        containers: [{ name: 'a', image: 'a:2' }],
        initContainers: [{ name: 'i', image: 'i:2' }],
      },
    });
  });

  it('ignores containers that the member added and ones that it lacks', () => {
    const wanted = { containers: [image('a', '1'), image('lacking', '1')] };
    expect(specDiff(wanted, { containers: [image('a', '1'), image('proxy', '1')] })).to.be.undefined;
  });

  it('ignores a container without image, which something in the member fills in', () => {
    expect(specDiff({ containers: [{ name: 'a' }] }, { containers: [image('a', '1')] })).to.be.undefined;
  });

  it('ignores what API server and admission of the member have filled in', () => {
    const actual = {
      containers: [{ ...APP, imagePullPolicy: 'Always', resources: { requests: { cpu: '100m' } } }],
      serviceAccountName: 'default',
      terminationGracePeriodSeconds: 30,
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', tolerationSeconds: 300 }],
      volumes: [{ name: 'added', emptyDir: {} }],
      activeDeadlineSeconds: 10,
      priority: 0,
    };
    expect(specDiff({ containers: [APP] }, actual)).to.be.undefined;
  });

  const deadlines: [number | undefined, number | undefined, number | undefined][] = [
    [30, undefined, 30],
    [30, 60, 30],
    [60, 30, undefined],
    [30, 30, undefined],
    [undefined, 30, undefined],
  ];
  for (const [wanted, actual, expected] of deadlines) {
    it(`makes a deadline of ${actual} ${expected ?? 'stay'} when the host wants ${wanted}`, () => {
      expect(specDiff({ activeDeadlineSeconds: wanted }, { activeDeadlineSeconds: actual })).to.deep.equal(
        expected === undefined ? undefined : { metadataAndSpec: { activeDeadlineSeconds: expected } },
      );
    });
  }

  const gpu: Toleration = { key: 'gpu', operator: 'Exists' };
  const admitted: Toleration = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', tolerationSeconds: 300 };

  it('adds tolerations to those of the member, as one list', () => {
    expect(specDiff({ tolerations: [gpu] }, { tolerations: [admitted] })).to.deep.equal({
      metadataAndSpec: { tolerations: [admitted, gpu] },
    });
  });

  it('changes the time of a toleration in place of adding it twice', () => {
    const [long, short] = [60, 30].map((tolerationSeconds) => ({ ...gpu, effect: 'NoExecute', tolerationSeconds }));
    expect(specDiff({ tolerations: [short!] }, { tolerations: [long!, admitted] })).to.deep.equal({
      metadataAndSpec: { tolerations: [admitted, short] },
    });
  });

  it('does not carry the time on a lost node over, which follows the disconnection policy of the host', () => {
    const keep = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' };
    expect(specDiff({ tolerations: [keep] }, { tolerations: [{ ...keep, tolerationSeconds: 300 }] })).to.be.undefined;
  });

  it('leaves a member pod alone that has all wanted tolerations', () => {
    expect(specDiff({ tolerations: [gpu] }, { tolerations: [admitted, gpu] })).to.be.undefined;
    expect(specDiff({}, { tolerations: [admitted] })).to.be.undefined;
  });

  it("leaves a spec to the member's admission when it has been carried over", () => {
    const wanted = { containers: [image('a', '1')], activeDeadlineSeconds: 5, tolerations: [gpu] };
    expect(specDiff(wanted, { containers: [image('a', 'mirrored')] }, 'applied')).to.be.undefined;
  });

  it('compares the specs when the host counts no generations', () => {
    expect(specDiff({ containers: [image('a', '2')] }, { containers: [image('a', '1')] }, 'unknown')).to.deep.equal({
      metadataAndSpec: { containers: [{ name: 'a', image: 'a:2' }] },
    });
  });
});

describe('diffPod: ephemeral containers', () => {
  const debug = { name: 'debug', image: 'busybox', targetContainerName: 'app' };

  it('adds new ones whole, through the subresource', () => {
    expect(diff({ spec: { ephemeralContainers: [debug] } }, {})).to.deep.equal({
      ephemeralContainers: { metadata: UID, spec: { ephemeralContainers: [debug] } },
    });
  });

  it('never touches present ones, which can not be changed', () => {
    const spec = { ephemeralContainers: [{ ...debug, image: 'busybox:2', terminationMessagePath: '/x' }] };
    expect(diff({ spec: { ephemeralContainers: [debug] } }, { spec })).to.be.undefined;
  });
});

describe('diffPod: resources', () => {
  const withResources = (resources: Container['resources']): PodParts['spec'] => ({
    containers: [{ ...APP, resources }],
  });

  it('resizes containers through the subresource', () => {
    const wanted = withResources({ requests: { cpu: '2', memory: '1Gi' }, limits: { cpu: '4' } });
    const actual = withResources({ requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '3' } });
    expect(specDiff(wanted, actual)).to.deep.equal({
      resize: { containers: [{ name: 'app', resources: { requests: { cpu: '2' }, limits: { cpu: '4' } } }] },
    });
  });

  it('resizes init containers and whole pods', () => {
    const resources = (cpu: string): object => ({ requests: { cpu } });
    const spec = (cpu: string): PodParts['spec'] => ({
      initContainers: [{ name: 'sidecar', resources: resources(cpu) }],
      resources: resources(cpu),
    });
    expect(specDiff(spec('2'), spec('1'))).to.deep.equal({
      resize: {
        initContainers: [{ name: 'sidecar', resources: resources('2') }],
        resources: resources('2'),
      },
    });
  });

  it('ignores resources that can not be resized and those that the member has added', () => {
    const wanted = withResources({ requests: { 'example.org/gpu': '2' } });
    const actual = withResources({ requests: { 'example.org/gpu': '1', cpu: '100m' }, limits: { memory: '1Gi' } });
    expect(specDiff(wanted, actual)).to.be.undefined;
  });

  it('adds a request that the member pod does not have yet', () => {
    expect(specDiff(withResources({ requests: { cpu: '1' } }), { containers: [APP] })).to.deep.equal({
      resize: { containers: [{ name: 'app', resources: { requests: { cpu: '1' } } }] },
    });
  });

  it('resizes nothing for a host that can not resize', () => {
    const wanted = withResources({ requests: { cpu: '2' } });
    expect(specDiff(wanted, withResources({ requests: { cpu: '1' } }), 'unknown')).to.be.undefined;
  });
});

/** Sends all patches, as the API server would take them. */
function applyChanges(actual: Pod, changes: PodChanges | undefined): Pod {
  return [changes?.metadataAndSpec, changes?.ephemeralContainers, changes?.resize].reduce<Pod>(
    (pod, patch) => (patch ? applyStrategic(pod, patch) : pod),
    actual,
  );
}

describe('diffPod: convergence', () => {
  const words = fc.constantFrom('a', 'b', 'c');
  const map = fc.dictionary(words, words, { maxKeys: 3 });
  const container = fc.record(
    {
      name: words,
      image: words,
      resources: fc.record({ requests: fc.dictionary(fc.constantFrom('cpu', 'memory'), words) }),
    },
    { requiredKeys: ['name', 'image'] },
  );
  const containers = fc.uniqueArray(container, { selector: ({ name }) => name, maxLength: 3 });
  const toleration = fc.record({ key: words, tolerationSeconds: fc.nat(3) }, { requiredKeys: ['key'] });
  const pod = fc
    .record({
      labels: map,
      annotations: map,
      containers,
      initContainers: containers,
      ephemeralContainers: fc.uniqueArray(fc.record({ name: words, image: words }), { selector: ({ name }) => name }),
      tolerations: fc.uniqueArray(toleration, { selector: ({ key }) => key, maxLength: 3 }),
      activeDeadlineSeconds: fc.option(fc.nat(5), { nil: undefined }),
    })
    .map(({ labels, annotations, ...spec }) => ({ ...metadata(labels, annotations, ['a', 'b']), spec }));
  const state = fc.constantFrom<SpecState>('applied', 'pending', 'unknown');

  it('has nothing left to change after its changes', () => {
    fc.assert(
      fc.property(pod, pod, state, (wantedParts, actualParts, is) => {
        const [wanted, actual] = [memberPod(wantedParts), memberPod(actualParts)];
        const after = applyChanges(actual, diffPod(wanted, actual, is));
        expect(diffPod(wanted, after, is)).to.be.undefined;
      }),
    );
  });

  it('never removes a toleration, a debug container or a foreign label', () => {
    fc.assert(
      fc.property(pod, pod, (wantedParts, actualParts) => {
        const actual = memberPod(actualParts);
        const after = applyChanges(actual, diffPod(memberPod(wantedParts), actual, 'pending'));
        const keys = (list: readonly { readonly key?: string | undefined; readonly name?: string }[] = []): unknown[] =>
          list.map((item) => item.key ?? item.name);
        expect(keys(after.spec?.tolerations)).to.include.members(keys(actual.spec?.tolerations));
        expect(keys(after.spec?.ephemeralContainers)).to.include.members(keys(actual.spec?.ephemeralContainers));
        const foreign = actual.metadata?.labels?.['c'];
        if (foreign !== undefined) expect(after.metadata?.labels).to.have.property('c');
      }),
    );
  });
});
