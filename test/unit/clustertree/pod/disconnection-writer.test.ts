import { expect } from 'chai';
import type { Namespace, Pod } from '../../../../src/apis/core.js';
import { DISCONNECTION_POLICY_ANNOTATION, OWN_TOLERATIONS_ANNOTATION } from '../../../../src/apis/names.js';
import type { DisconnectionPolicy } from '../../../../src/clustertree/cluster/disconnection-policy.js';
import { DisconnectionWriter } from '../../../../src/clustertree/pod/disconnection-writer.js';
import type { PodState } from '../../../../src/clustertree/pod/verdict.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { TransportError } from '../../../../src/kube/transport-error.js';
import { hostPod, IDENTITY, memberPod } from '../../../support/pods.js';

const POLICY = DISCONNECTION_POLICY_ANNOTATION;
const KEEP: DisconnectionPolicy = { kind: 'Keep' };

interface Call {
  readonly ref: { readonly namespace?: string; readonly name: string };
  readonly patch: { readonly metadata: { readonly annotations: Record<string, string> }; readonly spec: object };
  readonly options: object;
}

/** A writer whose host answers as it is told. */
class Harness {
  readonly calls: Call[] = [];
  readonly events: string[] = [];
  readonly assumed: Pod[] = [];
  readonly writer: DisconnectionWriter;
  failure: Error | undefined;
  namespace: Namespace | undefined;

  constructor(policy: DisconnectionPolicy = { kind: 'Evict' }, leaving = false) {
    this.writer = new DisconnectionWriter({
      host: { patch: ((...call: unknown[]) => this.#patch(call)) as never },
      caches: { pods: { assume: (pod) => this.assumed.push(pod) }, namespaces: { get: () => this.namespace } },
      member: { leaving, config: { disconnectionPolicy: policy } },
      events: { warn: (_pod, reason, message) => this.events.push(`${reason}: ${message}`) },
    });
  }

  obey(state: Partial<PodState>): Promise<PodState> {
    const whole = { identity: IDENTITY, hostSynced: true, memberSynced: true, onOurNode: true, namespaceAllowed: true };
    return this.writer.obey({ ...whole, ...state }, new AbortController().signal);
  }

  #patch([, ref, patch, options]: unknown[]): Promise<Pod> {
    this.calls.push({ ref, patch, options } as Call);
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return Promise.resolve(hostPod({ metadata: { uid: 'host-uid', generation: 2 } }));
  }
}

function refusal(code: number): ApiError {
  return new ApiError({ message: 'no', code });
}

describe('DisconnectionWriter', () => {
  it('writes the policy with the UID of the pod, and goes on with the answer', async () => {
    const h = new Harness(KEEP);
    const state = await h.obey({ hostPod: hostPod() });
    expect(h.calls[0]?.ref).to.deep.equal({ namespace: 'shop', name: 'web-0' });
    expect(h.calls[0]?.patch.metadata).to.include({ uid: 'host-uid' });
    expect(h.calls[0]?.options).to.include({ type: 'strategic', fieldManager: 'kosmos-manager' });
    expect(state.hostPod?.metadata?.generation).to.equal(2);
    expect(h.assumed).to.deep.equal([state.hostPod]);
  });

  it('writes while the member is away, too', async () => {
    const h = new Harness(KEEP);
    await h.obey({ hostPod: hostPod(), memberSynced: false });
    expect(h.calls).to.have.length(1);
  });

  const left: [string, Partial<PodState>, boolean?][] = [
    ['no pod', {}],
    ['a pod that may be out of date', { hostPod: hostPod(), hostSynced: false }],
    ['a pod on another node', { hostPod: hostPod(), onOurNode: false }],
    ['a pod that is being deleted', { hostPod: hostPod({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }) }],
    ['a pod that has ended', { hostPod: hostPod({ status: { phase: 'Failed' } }) }],
    ['a pod of a Cluster that leaves', { hostPod: hostPod() }, true],
  ];
  for (const [name, state, leaving] of left) {
    it(`leaves ${name} alone`, async () => {
      const h = new Harness(KEEP, leaving);
      await h.obey(state);
      expect(h.calls).to.deep.equal([]);
    });
  }

  it('costs nothing without a policy', async () => {
    const h = new Harness();
    const hosted = hostPod();
    expect((await h.obey({ hostPod: hosted })).hostPod).to.equal(hosted);
    expect(h.calls).to.deep.equal([]);
  });

  it("heeds the namespace's policy", async () => {
    const h = new Harness();
    h.namespace = { metadata: { name: 'shop', annotations: { [POLICY]: 'EvictAfter=9s' } } };
    await h.obey({ hostPod: hostPod() });
    expect(JSON.stringify(h.calls[0]?.patch.spec)).to.include('"tolerationSeconds":9');
  });

  const generations: [string, Partial<PodState>, number | undefined][] = [
    ['a pod that was never changed', { hostPod: hostPod(), memberPod: memberPod() }, 2],
    ['a changed pod without a copy', { hostPod: hostPod({ metadata: { generation: 4 } }) }, 5],
    [
      'a changed pod with a copy',
      { hostPod: hostPod({ metadata: { generation: 4 } }), memberPod: memberPod() },
      undefined,
    ],
    [
      'a changed pod of a lost member',
      { hostPod: hostPod({ metadata: { generation: 4 } }), memberSynced: false },
      undefined,
    ],
    [
      'a changed pod that the member knows',
      { hostPod: hostPod({ metadata: { generation: 4 }, status: { observedGeneration: 4 } }), memberPod: memberPod() },
      5,
    ],
  ];
  for (const [name, state, generation] of generations) {
    it(`says ${generation === undefined ? 'not ' : ''}that the member has all of ${name}`, async () => {
      const h = new Harness(KEEP);
      await h.obey(state);
      const record = h.calls[0]?.patch.metadata.annotations[OWN_TOLERATIONS_ANNOTATION] ?? '';
      expect((JSON.parse(record) as { generation?: number }).generation).to.equal(generation);
    });
  }

  it('takes a pod that is gone for a cache that is late', async () => {
    const h = new Harness(KEEP);
    h.failure = refusal(404);
    const hosted = hostPod();
    expect((await h.obey({ hostPod: hosted })).hostPod).to.equal(hosted);
    expect(h.events).to.deep.equal([]);
  });

  for (const code of [400, 403, 422]) {
    it(`goes on after a ${code}, and says so once`, async () => {
      const h = new Harness(KEEP);
      h.failure = refusal(code);
      const hosted = hostPod();
      expect((await h.obey({ hostPod: hosted })).hostPod).to.equal(hosted);
      await h.obey({ hostPod: hosted });
      expect(h.events).to.deep.equal(['DisconnectionPolicyRefused: no']);
    });
  }

  for (const failure of [
    refusal(500),
    refusal(409),
    refusal(429),
    new TransportError('API_TIMEOUT', 'late', { mayHaveArrived: true }),
  ]) {
    it(`is tried again after ${failure instanceof ApiError ? failure.statusCode : failure.code}`, async () => {
      const h = new Harness(KEEP);
      h.failure = failure;
      const caught = await h.obey({ hostPod: hostPod() }).catch((error: unknown) => error);
      expect(caught).to.equal(failure);
    });
  }

  it('tells of a policy that nobody can read once, and takes the next one', async () => {
    const h = new Harness(KEEP);
    const hosted = hostPod({ metadata: { uid: 'host-uid', annotations: { [POLICY]: 'Perhaps' } } });
    await h.obey({ hostPod: hosted });
    await h.obey({ hostPod: hosted });
    expect(h.events).to.have.length(1);
    expect(h.events[0]).to.match(/^UnreadableDisconnectionPolicy: .*"Perhaps"/);
    expect(h.calls).to.have.length(2);
    h.writer.forget('shop/web-0');
    await h.obey({ hostPod: hosted });
    expect(h.events).to.have.length(2);
  });
});
