import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import type { Member } from '../../../../src/clustertree/cluster/member.js';
import type { PodNeeds } from '../../../../src/clustertree/cluster/pod-needs.js';
import { MemberPodWriter } from '../../../../src/clustertree/pod/member-pod-writer.js';
import { NamespacePolicy } from '../../../../src/clustertree/pod/namespace-policy.js';
import { namespaces, nodes, pods } from '../../../../src/kube/resource.js';
import { EVERYTHING } from '../../../../src/lib/label-selector.js';
import { apiError, clusterConfig, virtualNode } from '../../../support/member-harness.js';
import { NODE, PodHarness, WEB } from '../../../support/pod-harness.js';

const RUNNING = { phase: 'Running' };
const APP = { name: 'app', image: 'app:1' };

describe('MemberPodWriter', () => {
  let harness: PodHarness;
  let member: Member;
  let writer: MemberPodWriter;

  beforeEach(async () => {
    harness = new PodHarness();
    member = harness.member();
    make();
    await harness.settle(3);
  });

  afterEach(() => harness.end());

  function make(more: Partial<Member> = {}): void {
    member = { ...member, ...more };
    const { host, caches, events, clock } = harness;
    writer = new MemberPodWriter({
      ...{ host, caches, member, events, clock },
      isCurrent: () => ({ host: true, member: true }),
      onWaiting: () => undefined,
      namespacePolicy: new NamespacePolicy([], EVERYTHING),
    });
  }

  function create(pod: Pod): ReturnType<MemberPodWriter['create']> {
    return writer.create(pod, harness.signal);
  }

  const failure = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

  describe('creates', () => {
    it('the translation of the host pod, checked strictly', async () => {
      expect(await create(harness.addHostPod())).to.deep.equal({ kind: 'created' });
      expect(harness.client.callsOf({ verb: 'create', type: pods })[0]?.options).to.include({
        fieldManager: 'kosmos-manager',
        fieldValidation: 'Strict',
      });
      expect(member.pods.store.get('shop/web')?.metadata?.uid).to.equal(harness.memberPod()?.metadata?.uid);
    });

    it('a pod of a virtual node that stands for one node on that node', async () => {
      const leafModels = [{ nodeSelector: { nodeName: 'n7' } }];
      make({ config: clusterConfig({ spec: { clusterTreeOptions: { leafModels } } }) });
      harness.host.seed(nodes, virtualNode('n7'));
      await create(harness.addHostPod({ spec: { nodeName: 'n7', containers: [APP] } }));
      expect(JSON.stringify(harness.memberPod()?.spec)).to.contain('"n7"');
    });

    it('a pod of a party on one of its nodes', async () => {
      const labelSelector = { matchLabels: { pool: 'gpu' } };
      const leafModels = [{ leafNodeName: 'gpu', nodeSelector: { labelSelector } }];
      make({ config: clusterConfig({ spec: { clusterTreeOptions: { leafModels } } }) });
      await create(harness.addHostPod({ spec: { nodeName: 'kosmos-gpu-0', containers: [APP] } }));
      expect(JSON.stringify(harness.memberPod()?.spec)).to.contain('"pool"');
    });

    it('nothing that can not be translated, and says for each reason why', async () => {
      const volumes = [{ name: 'a', glusterfs: { endpoints: 'e', path: '/' } }];
      const resourceClaims = [{ name: 'gpu', resourceClaimName: 'gpu' }];
      const pod = harness.addHostPod({ spec: { nodeName: NODE, volumes, resourceClaims, containers: [APP] } });
      expect(await create(pod)).to.deep.equal({ kind: 'refused' });
      expect(harness.warnings.map((text) => text.split(':')[0])).to.deep.equal([
        'web NeedsEndpoints',
        'web NeedsResourceClaim',
      ]);
    });

    it('nothing in a namespace that is gone', async () => {
      harness.host.erase(namespaces, { name: 'shop' });
      await harness.settle();
      expect(await create(harness.addHostPod())).to.deep.equal({ kind: 'refused' });
      expect(harness.writes('member')).to.be.empty;
    });

    it('nothing where a pod of the name is, and gives that', async () => {
      harness.addMemberPod();
      expect(await create(harness.addHostPod())).to.have.nested.property('pod.metadata.uid', 'member-uid');
    });

    it('nothing where one has just been', async () => {
      harness.client.fail({ verb: 'create', type: pods, error: apiError(409, 'AlreadyExists') });
      expect(await create(harness.addHostPod())).to.deep.equal({ kind: 'exists', pod: undefined });
    });

    it('and passes on that it can not see what is there', async () => {
      harness.addMemberPod();
      harness.client.fail({ verb: 'get', error: apiError(500, 'InternalError') });
      expect(await failure(create(harness.addHostPod()))).to.have.property('statusCode', 500);
    });

    it('and tells what of the pod had to be left out', async () => {
      const volumes = [{ name: 'v', sourceOf2030: {} }];
      await create(harness.addHostPod({ spec: { nodeName: NODE, containers: [APP], volumes } }));
      expect(harness.memberPod()).to.not.be.undefined;
      expect(harness.warnings.map((text) => text.split(':')[0])).to.deep.equal(['web UnknownVolumeSource']);
    });

    it('nothing before all that the pod needs is there, and says what is missing', async () => {
      const asked: string[] = [];
      const need = (reason: string, ...unmet: string[]): PodNeeds => ({
        ensure: (pod, { namespace, configMaps }) => {
          asked.push([reason, pod.metadata?.uid, namespace, ...configMaps.map(({ name }) => name)].join(' '));
          return Promise.resolve(unmet.map((message) => ({ reason, message })));
        },
        onMet: () => () => undefined,
      });
      make({ needs: [need('Failed'), need('FailedMount', 'no volume', 'no other')] });
      const containers = [{ ...APP, envFrom: [{ configMapRef: { name: 'settings' } }] }];
      expect(await create(harness.addHostPod({ spec: { nodeName: NODE, containers } }))).to.deep.equal({
        kind: 'waiting',
      });
      expect(asked).to.deep.equal(['Failed host-uid shop settings', 'FailedMount host-uid shop settings']);
      expect(harness.warnings).to.deep.equal(['web FailedMount: no volume', 'web FailedMount: no other']);
      expect(harness.client.callsOf({ verb: 'create', type: pods })).to.be.empty;
    });

    it('nothing when it can not be told whether a need is met', async () => {
      const error = apiError(500, 'InternalError');
      make({ needs: [{ ensure: () => Promise.reject(error), onMet: () => () => undefined }] });
      expect(await failure(create(harness.addHostPod()))).to.equal(error);
      expect(harness.client.callsOf({ verb: 'create', type: pods })).to.be.empty;
    });

    for (const [code, reason] of [
      [400, 'BadRequest'],
      [403, 'Forbidden'],
      [422, 'Invalid'],
    ] as const) {
      it(`and tells the words of a member that answers ${code}, to try again`, async () => {
        harness.client.fail({ verb: 'create', type: pods, error: apiError(code, reason, 'not here') });
        const refusal = await failure(create(harness.addHostPod()));
        expect(refusal).to.include({ code: 'POD_REFUSED', retry: 'backoff', firstRetryMs: 1000 });
        expect(harness.warnings).to.deep.equal(['web MemberRefusedPod: not here']);
      });
    }

    for (const [code, reason] of [
      [401, 'Unauthorized'],
      [404, 'NotFound'],
      [409, 'Conflict'],
      [429, 'TooManyRequests'],
      [503, 'ServiceUnavailable'],
    ] as const) {
      it(`and blames no pod for an answer of ${code}`, async () => {
        harness.client.fail({ verb: 'create', type: pods, error: apiError(code, reason) });
        expect(await failure(create(harness.addHostPod()))).to.have.property('statusCode', code);
        expect(harness.warnings).to.be.empty;
      });
    }
  });

  describe('updates', () => {
    function update(
      host: Partial<Pod>,
      memberParts: Partial<Pod> = { status: RUNNING },
    ): ReturnType<MemberPodWriter['update']> {
      return writer.update(harness.addHostPod(host), harness.addMemberPod(memberParts), harness.signal);
    }

    const image = (name: string): Partial<Pod> => ({
      metadata: { generation: 2 },
      spec: { nodeName: NODE, containers: [{ ...APP, image: name }] },
    });

    it('nothing of a pod in step', async () => {
      expect(await update({})).to.have.property('inStep', true);
      expect(harness.writes('member')).to.be.empty;
    });

    it('an image, and takes over what the member answers', async () => {
      const { inStep, current } = await update(image('app:2'));
      expect([inStep, current.spec?.containers[0]?.image]).to.deep.equal([true, 'app:2']);
      expect(member.pods.store.get('shop/web')?.spec?.containers[0]?.image).to.equal('app:2');
    });

    it('labels and annotations', async () => {
      await update({ metadata: { labels: { version: '2' }, annotations: { note: 'new' } } });
      expect(harness.memberPod()?.metadata?.labels).to.include({ version: '2' });
      expect(harness.memberPod()?.metadata?.annotations).to.include({ note: 'new' });
    });

    it('ephemeral containers and resources by their subresources', async () => {
      const ephemeralContainers = [{ name: 'debug', image: 'busybox' }];
      const containers = [{ ...APP, resources: { requests: { cpu: '2' } } }];
      const spec = { nodeName: NODE, containers, ephemeralContainers };
      const inMember = { nodeName: 'n1', containers: [{ ...APP, resources: { requests: { cpu: '1' } } }] };
      await update({ metadata: { generation: 2 }, spec }, { spec: inMember, status: RUNNING });
      expect(harness.writes('member')).to.deep.equal(['patch pods/ephemeralcontainers', 'patch pods/resize']);
    });

    it('and waits for the kubelet to have seen it', async () => {
      const status = { ...RUNNING, observedGeneration: 1 };
      expect(await update(image('app:2'), { status })).to.have.property('inStep', false);
    });

    it('nothing of a pod that can not be translated any more', async () => {
      const volumes = [{ name: 'a', glusterfs: { endpoints: 'e', path: '/' } }];
      const { inStep } = await update({ spec: { nodeName: NODE, volumes, containers: [APP] } });
      expect([inStep, harness.writes('member')]).to.deep.equal([false, []]);
    });

    it('and tells what the member refuses, without trying it again and again', async () => {
      harness.client.fail({ verb: 'patch', error: apiError(422, 'Invalid', 'may not change') });
      const { inStep, current } = await update(image('app:2'));
      expect([inStep, current.spec?.containers[0]?.image]).to.deep.equal([false, 'app:1']);
      expect(harness.warnings).to.deep.equal(['web MemberRefusedPod: may not change']);
    });

    it('nothing of a pod that is gone', async () => {
      harness.client.fail({ verb: 'patch', error: apiError(404, 'NotFound') });
      expect(await update(image('app:2'))).to.have.property('inStep', false);
      expect(harness.warnings).to.be.empty;
    });

    for (const [code, reason] of [
      [409, 'Conflict'],
      [500, 'InternalError'],
    ] as const) {
      it(`again after an answer of ${code}`, async () => {
        harness.client.fail({ verb: 'patch', error: apiError(code, reason) });
        expect(await failure(update(image('app:2')))).to.have.property('statusCode', code);
        expect(harness.client.peek(pods, WEB)?.spec?.containers[0]?.image).to.equal('app:1');
      });
    }
  });
});
