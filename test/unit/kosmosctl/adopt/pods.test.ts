import { expect } from 'chai';
import type { ObjectMeta, Pod } from '../../../../src/apis/core.js';
import {
  CLUSTER_LABEL,
  HOST_CLUSTER_LABEL,
  HOST_UID_ANNOTATION,
  MEMBER_UID_ANNOTATION,
  OWNER_LABEL,
  POD_LABEL,
} from '../../../../src/apis/names.js';
import { ownershipLabels, ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';
import { judgePod } from '../../../../src/kosmosctl/adopt/pods.js';
import type { Change, Judgement } from '../../../../src/kosmosctl/adopt/judgement.js';
import { APP, deepFreeze, hostPod, memberPod, type PodParts } from '../../../support/pods.js';

const OWNERSHIP = ownershipOf('host-cluster-uid', 'member1');
const STARTED = '2026-01-01T00:00:00Z';
const RUNNING = { phase: 'Running', startTime: STARTED };

/** As Kosmos in Go makes it: without anybody's identity. */
function formerPod(parts: PodParts = {}): Pod {
  const { metadata, ...more } = parts;
  const former: ObjectMeta = {
    labels: { app: 'web', [POD_LABEL]: 'true' },
    annotations: { 'kosmos-io/tripped': '{}' },
  };
  return memberPod({ status: RUNNING, ...more, metadata: { ...former, ...metadata } });
}

function judge(host: Pod | undefined, member: Pod | undefined, isElsewhere = false): Judgement | undefined {
  return judgePod(deepFreeze({ hostPod: host, memberPod: member, isElsewhere }), OWNERSHIP);
}

function changes(host: Pod, member: Pod): readonly Change[] {
  const judgement = judge(host, member);
  if (judgement?.kind !== 'adopt') throw new Error(`not adopted: ${JSON.stringify(judgement)}`);
  return judgement.changes;
}

interface Row {
  readonly when: string;
  readonly host?: Pod;
  readonly member?: Pod;
  readonly elsewhere?: boolean;
  readonly kind: Judgement['kind'] | undefined;
  readonly why?: RegExp;
}

const LABELS = { [POD_LABEL]: 'true' };
const ROWS: readonly Row[] = [
  { when: 'it runs on both sides', host: hostPod({ status: RUNNING }), member: formerPod(), kind: 'adopt' },
  {
    when: 'it has started on neither side',
    host: hostPod(),
    member: formerPod({ status: { phase: 'Pending' } }),
    kind: 'adopt',
  },
  { when: 'the host does not know yet that it has started', host: hostPod(), member: formerPod(), kind: 'adopt' },
  {
    when: 'it has ended on both sides',
    host: hostPod({ status: { ...RUNNING, phase: 'Succeeded' } }),
    member: formerPod({ status: { ...RUNNING, phase: 'Succeeded' } }),
    kind: 'adopt',
  },
  {
    when: 'it is being deleted in the host',
    host: hostPod({ metadata: { deletionTimestamp: STARTED }, status: RUNNING }),
    member: formerPod(),
    kind: 'adopt',
  },
  { when: 'it is ours', host: hostPod({ status: RUNNING }), member: memberPod({ status: RUNNING }), kind: 'adopted' },
  { when: 'it is ours, and the host pod has gone since', member: memberPod(), kind: 'adopted' },
  { when: 'the host has no such pod', member: formerPod(), kind: 'stays', why: /^the host has no such pod; delete it/ },
  {
    when: 'the host has it on another node',
    member: formerPod(),
    elsewhere: true,
    kind: 'stays',
    why: /^the host's pod of that name is on another node/,
  },
  {
    when: 'it has ended in the host alone',
    host: hostPod({ status: { ...RUNNING, phase: 'Failed' } }),
    member: formerPod(),
    kind: 'stays',
    why: /^has ended in the host \(Failed\) and runs on/,
  },
  {
    when: 'the host shows the status of another pod',
    host: hostPod({ status: { ...RUNNING, startTime: '2025-12-31T00:00:00Z' } }),
    member: formerPod(),
    kind: 'problem',
    why: /^is not the pod whose status the host shows \(it started at 2026-01-01T00:00:00Z\): .* as Failed/,
  },
  {
    when: 'the host shows a status and the member pod has not started',
    host: hostPod({ status: RUNNING }),
    member: formerPod({ status: { phase: 'Pending' } }),
    kind: 'problem',
    why: /it started at no time yet/,
  },
  {
    when: 'its image is another one and the host has no status',
    host: hostPod({ spec: { containers: [{ ...APP, image: 'app:2' }] } }),
    member: formerPod(),
    kind: 'problem',
    why: /^seems to be the copy of an earlier pod of that name \(image app:2 of container app differs\)/,
  },
  {
    when: 'it lacks a container and the host has no status',
    host: hostPod({ spec: { containers: [APP, { name: 'side' }] } }),
    member: formerPod(),
    kind: 'problem',
    why: /container side differs/,
  },
  {
    when: 'somebody else has a pod of that name, and the host pod waits',
    host: hostPod(),
    member: formerPod({ metadata: { labels: {} } }),
    kind: 'problem',
    why: /belongs to somebody else: the host pod stays Pending/,
  },
  {
    when: 'somebody else has a pod of that name, and the host pod has run',
    host: hostPod({ status: RUNNING }),
    member: formerPod({ metadata: { labels: {} } }),
    kind: 'problem',
    why: /belongs to somebody else: the manager will mark the host pod as Failed/,
  },
  {
    when: 'another Cluster of this host has it',
    host: hostPod(),
    member: formerPod({
      metadata: { labels: { ...LABELS, ...ownershipLabels(ownershipOf('host-cluster-uid', 'b')) } },
    }),
    kind: 'problem',
    why: /belongs to Cluster b:/,
  },
  {
    when: 'another host has it',
    host: hostPod(),
    member: formerPod({ metadata: { labels: { ...LABELS, ...ownershipLabels(ownershipOf('other', 'b')) } } }),
    kind: 'problem',
    why: /belongs to Cluster b of another host/,
  },
  {
    when: 'another host has it and this one has no such pod',
    member: formerPod({ metadata: { labels: { ...LABELS, ...ownershipLabels(ownershipOf('other', 'b')) } } }),
    kind: undefined,
  },
  { when: 'it was not made yet', host: hostPod(), kind: undefined },
  {
    when: 'its copy is gone',
    host: hostPod({ status: RUNNING }),
    kind: 'problem',
    why: /^has run, and has no copy in the member any more/,
  },
  { when: 'it has ended and its copy is gone', host: hostPod({ status: { phase: 'Succeeded' } }), kind: undefined },
  {
    when: 'it is being deleted and its copy is gone',
    host: hostPod({ metadata: { deletionTimestamp: STARTED }, status: RUNNING }),
    kind: undefined,
  },
];

describe('judgePod', () => {
  for (const { when, host, member, elsewhere, kind, why } of ROWS) {
    it(`says ${kind ?? 'nothing'} when ${when}`, () => {
      const judgement = judge(host, member, elsewhere);
      expect(judgement?.kind).to.equal(kind);
      if (why !== undefined) expect(judgement).to.have.property('why').that.matches(why);
    });
  }

  it('records in the host which pod is the copy, then marks that as the manager would have made it', () => {
    const host = hostPod({
      metadata: { labels: { app: 'web' }, annotations: { note: 'x', [MEMBER_UID_ANNOTATION]: 'old' } },
      status: RUNNING,
    });
    const [first, second, ...others] = changes(host, formerPod());
    expect(others).to.deep.equal([]);
    expect(first).to.deep.include({ where: 'host', how: 'merge', ref: { namespace: 'shop', name: 'web-0' } });
    expect(first?.body).to.deep.equal({
      metadata: { uid: 'host-uid', labels: {}, annotations: { [MEMBER_UID_ANNOTATION]: 'member-uid' } },
    });
    expect(second).to.deep.include({ where: 'member', how: 'apply', ref: { namespace: 'shop', name: 'web-0' } });
    expect(second?.body).to.deep.equal({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        ...{ namespace: 'shop', name: 'web-0', uid: 'member-uid' },
        labels: {
          ...{ app: 'web', [POD_LABEL]: 'true', [HOST_CLUSTER_LABEL]: 'host-cluster-uid' },
          ...{ [CLUSTER_LABEL]: 'member1', [OWNER_LABEL]: OWNERSHIP.owner },
        },
        annotations: { note: 'x', [HOST_UID_ANNOTATION]: 'host-uid' },
      },
    });
  });

  it('takes off the finalizers that were copied from the host, and no others', () => {
    const finalizers = ['batch.kubernetes.io/job-tracking', 'shop/keep', 'member/own'];
    const host = hostPod({ metadata: { finalizers: ['shop/keep'] }, status: RUNNING });
    const [, freed] = changes(host, formerPod({ metadata: { labels: LABELS, finalizers } }));
    expect(freed).to.deep.include({ where: 'member', how: 'strategic' });
    expect(freed?.body).to.deep.equal({
      metadata: {
        uid: 'member-uid',
        '$deleteFromPrimitiveList/finalizers': ['batch.kubernetes.io/job-tracking', 'shop/keep'],
      },
    });
  });

  it('says so when the manager is about to carry over a new image', () => {
    const spec = { containers: [{ ...APP, image: 'app:2' }] };
    const changed = hostPod({ metadata: { generation: 2 }, spec, status: RUNNING });
    expect(judge(changed, formerPod())).to.have.property('note').that.contains('image app:2 of container app');
    // One that the member's own admission has changed is left to it.
    expect(judge(hostPod({ spec, status: RUNNING }), formerPod())).not.to.have.property('note');
  });

  it('takes back what came to the host with a status, and does not carry it to the member', () => {
    const managedFields = [
      entry('kubectl', undefined, { labels: ['app'], annotations: ['note'] }),
      entry('clustertree-cluster-manager', 'status', { labels: [POD_LABEL], annotations: ['cni', 'note', 'gone'] }),
      entry('kosmos-manager', 'status', { labels: [], annotations: [MEMBER_UID_ANNOTATION] }),
    ];
    const annotations = { note: 'x', cni: '10.0.0.1', gone: 'from the member' };
    const host = hostPod({
      metadata: { labels: { app: 'web', [POD_LABEL]: 'true' }, annotations, managedFields },
      status: RUNNING,
    });
    const [first, second] = changes(
      host,
      formerPod({ metadata: { labels: LABELS, annotations: { cni: '10.0.0.2' } } }),
    );
    expect(first?.body).to.deep.equal({
      metadata: {
        uid: 'host-uid',
        labels: { [POD_LABEL]: null },
        annotations: { cni: null, [MEMBER_UID_ANNOTATION]: 'member-uid' },
      },
    });
    const { metadata } = second?.body as { metadata: ObjectMeta };
    // What the member pod doesn't have can't have come from there.
    expect(metadata.annotations).to.deep.equal({
      note: 'x',
      gone: 'from the member',
      [HOST_UID_ANNOTATION]: 'host-uid',
    });
    expect(metadata.labels).to.include({ app: 'web', [POD_LABEL]: 'true' });
  });
});

function entry(
  manager: string,
  subresource: string | undefined,
  keys: { readonly labels: readonly string[]; readonly annotations: readonly string[] },
): NonNullable<ObjectMeta['managedFields']>[number] {
  const fields = (names: readonly string[]): object =>
    Object.fromEntries(['.', ...names.map((name) => `f:${name}`)].map((name) => [name, {}] as const));
  const fieldsV1 = { 'f:metadata': { 'f:labels': fields(keys.labels), 'f:annotations': fields(keys.annotations) } };
  return { manager, operation: 'Update', subresource, fieldsV1 };
}
