import { expect } from 'chai';
import type { Namespace } from '../../../../src/apis/core.js';
import { HOST_UID_ANNOTATION } from '../../../../src/apis/names.js';
import type { MemberNamespaces } from '../../../../src/clustertree/cluster/namespaces.js';
import { desiredNamespace, namespacePatch, trimNamespace } from '../../../../src/clustertree/cluster/namespaces.js';
import { isOwned, ownershipLabels } from '../../../../src/clustertree/cluster/ownership.js';
import { namespaces, serviceAccounts } from '../../../../src/kube/resource.js';
import { apiError, MemberHarness, ownNamespace, OWNERSHIP } from '../../../support/member-harness.js';

const BASELINE = { 'pod-security.kubernetes.io/enforce': 'baseline' };

function hostNamespace(labels: Record<string, string> = {}, uid = 'ns-uid'): Namespace {
  return { metadata: { name: 'shop', uid, labels: { team: 'a', ...labels } } };
}

describe('desiredNamespace', () => {
  const namespace = desiredNamespace(hostNamespace(BASELINE), OWNERSHIP);

  it('is marked as ours, and as the copy of the host namespace', () => {
    expect(isOwned(namespace, OWNERSHIP)).to.be.true;
    expect(namespace.metadata?.annotations).to.deep.equal({ [HOST_UID_ANNOTATION]: 'ns-uid' });
  });

  it('carries the Pod Security labels and no others of the host', () => {
    expect(namespace.metadata?.labels).to.deep.equal({ ...BASELINE, ...ownershipLabels(OWNERSHIP) });
  });
});

describe('namespacePatch', () => {
  it('has nothing to do for a namespace in step', () => {
    expect(namespacePatch(ownNamespace('shop'), hostNamespace(), OWNERSHIP)).to.be.undefined;
  });

  it('adds, changes and removes Pod Security labels', () => {
    const [enforce, warn, audit] = ['enforce', 'warn', 'audit'].map((mode) => `pod-security.kubernetes.io/${mode}`);
    const labels = { ...ownershipLabels(OWNERSHIP), [warn!]: 'baseline', [audit!]: 'baseline' };
    const actual = ownNamespace('shop', { uid: 'member-ns', labels });
    const wanted = hostNamespace({ [enforce!]: 'restricted', [audit!]: 'restricted' });
    expect(namespacePatch(actual, wanted, OWNERSHIP)).to.deep.equal({
      metadata: {
        uid: 'member-ns',
        labels: { [enforce!]: 'restricted', [audit!]: 'restricted', [warn!]: null },
        annotations: undefined,
      },
    });
  });

  it('follows a host namespace that was made again', () => {
    const patch = namespacePatch(ownNamespace('shop'), hostNamespace({}, 'new-uid'), OWNERSHIP);
    expect(patch)
      .to.have.nested.property('metadata.annotations')
      .deep.equal({ [HOST_UID_ANNOTATION]: 'new-uid' });
  });

  it("leaves somebody else's namespace alone", () => {
    const foreign = { metadata: { name: 'shop' } };
    expect(namespacePatch(foreign, hostNamespace(BASELINE), OWNERSHIP)).to.be.undefined;
  });
});

describe('trimNamespace', () => {
  it('keeps what decides about a namespace, and no other annotations', () => {
    const namespace = ownNamespace('shop', { uid: 'u', resourceVersion: '7' });
    const annotations = { ...namespace.metadata?.annotations, note: 'long' };
    const whole = { ...namespace, metadata: { ...namespace.metadata, annotations }, status: { phase: 'Active' } };
    const trimmed = trimNamespace(whole);
    expect(trimmed.metadata).to.deep.include({ name: 'shop', uid: 'u', resourceVersion: '7' });
    expect(trimmed.metadata?.annotations).to.deep.equal({ [HOST_UID_ANNOTATION]: 'ns-uid' });
    expect(trimmed).to.have.all.keys('metadata');
  });

  it('copes with a namespace that has nothing', () => {
    expect(trimNamespace({}).metadata?.annotations).to.be.undefined;
  });
});

describe('MemberNamespaces', () => {
  let harness: MemberHarness;
  let maker: MemberNamespaces;

  beforeEach(async () => {
    harness = new MemberHarness();
    maker = harness.member().namespaceMaker;
    await harness.settle();
    harness.client.calls.length = 0;
  });

  afterEach(() => harness.end());

  function writes(): string[] {
    return harness.client.calls
      .filter(({ verb }) => verb === 'create' || verb === 'patch')
      .map(({ verb, resource }) => `${verb} ${resource}`);
  }

  async function failure(ensured: Promise<void>): Promise<unknown> {
    return ensured.then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  it('makes a namespace, and the service account that pods need', async () => {
    await maker.ensure(hostNamespace(BASELINE), harness.signal);
    expect(harness.client.peek(namespaces, { name: 'shop' })?.metadata?.labels).to.include(BASELINE);
    expect(harness.client.peek(serviceAccounts, { namespace: 'shop', name: 'default' })).to.not.be.undefined;
  });

  it('costs nothing for the next pod, even before the watch has told of it', async () => {
    await maker.ensure(hostNamespace(), harness.signal);
    const before = harness.client.calls.length;
    await maker.ensure(hostNamespace(), harness.signal);
    expect(harness.client.calls).to.have.length(before);
  });

  it('makes it once for pods that come together', async () => {
    await Promise.all([1, 2, 3].map(() => maker.ensure(hostNamespace(), harness.signal)));
    expect(writes()).to.deep.equal(['create namespaces', 'create serviceaccounts']);
  });

  it('brings the labels of a namespace up to date', async () => {
    harness.client.seed(namespaces, ownNamespace('shop'));
    await harness.settle();
    await maker.ensure(hostNamespace(BASELINE), harness.signal);
    await maker.ensure(hostNamespace(BASELINE), harness.signal);
    expect(writes()).to.deep.equal(['patch namespaces']);
    expect(harness.client.peek(namespaces, { name: 'shop' })?.metadata?.labels).to.include(BASELINE);
  });

  it("uses somebody else's namespace as it is", async () => {
    harness.client.seed(namespaces, { metadata: { name: 'shop' } });
    await harness.settle();
    await maker.ensure(hostNamespace(BASELINE), harness.signal);
    expect(writes()).to.be.empty;
  });

  it('uses a namespace that another made a moment before', async () => {
    harness.client.intercept = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'namespaces' && !harness.client.peek(namespaces, { name: 'shop' }))
        harness.client.seed(namespaces, { metadata: { name: 'shop' } });
    };
    await maker.ensure(hostNamespace(), harness.signal);
    expect(harness.client.peek(namespaces, { name: 'shop' })?.metadata?.labels).to.be.undefined;
  });

  it('is content with the service account that the member made itself', async () => {
    harness.client.seed(serviceAccounts, { metadata: { namespace: 'shop', name: 'default' } });
    expect(await failure(maker.ensure(hostNamespace(), harness.signal))).to.be.undefined;
  });

  it('asks to come again while the namespace is being deleted', async () => {
    harness.client.seed(namespaces, ownNamespace('shop', { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    await harness.settle();
    expect(await failure(maker.ensure(hostNamespace(), harness.signal)))
      .to.have.property('message')
      .that.contains('shop is being deleted in the member');
  });

  for (const type of [namespaces, serviceAccounts]) {
    it(`passes on that the member refuses ${type.plural}, and tries again the next time`, async () => {
      harness.client.fail({ verb: 'create', type, error: apiError(403, 'Forbidden') });
      expect(await failure(maker.ensure(hostNamespace(), harness.signal))).to.have.property('statusCode', 403);
      expect(await failure(maker.ensure(hostNamespace(), harness.signal))).to.be.undefined;
    });
  }

  it('gives up with its caller', async () => {
    harness.client.intercept = ({ resource }) =>
      resource === 'namespaces' ? harness.clock.sleep(60_000, harness.signal) : undefined;
    const ensured = failure(maker.ensure(hostNamespace(), harness.signal));
    harness.stop.abort(new Error('the connection was closed'));
    expect(await ensured).to.have.property('message', 'the connection was closed');
  });
});
