import { expect } from 'chai';
import { X509Certificate } from 'node:crypto';
import type { CertificateSigningRequest, NodeCondition, Secret } from '../../../../src/apis/core.js';
import { KUBELET_SERVING_CONDITION } from '../../../../src/apis/names.js';
import { ServingCertificates } from '../../../../src/clustertree/kubelet/serving-certificates.js';
import { servingSubject } from '../../../../src/clustertree/kubelet/serving-request.js';
import { readMaterial, type ServingMode } from '../../../../src/clustertree/kubelet/serving-secret.js';
import type { Informer } from '../../../../src/kube/informer.js';
import { certificateSigningRequests, nodes, secrets } from '../../../../src/kube/resource.js';
import { createSelfSigned } from '../../../../src/pki/serving-certificate.js';
import { apiError, MemberHarness, virtualNode } from '../../../support/member-harness.js';

const NAME = 'kosmos-member1';
const NAMESPACE = 'kosmos-system';
const ADDRESSES = ['10.0.0.1'];
const REF = { namespace: NAMESPACE, name: `kubelet-serving-${NAME}` };

describe('ServingCertificates', () => {
  let harness: MemberHarness;
  let reconciler: ServingCertificates;
  let requests: Informer<CertificateSigningRequest>;

  beforeEach(async () => {
    harness = new MemberHarness();
    harness.host.seed(nodes, virtualNode(NAME, 'member1'));
    await open('csr');
  });

  afterEach(() => harness.end());

  async function open(mode: ServingMode): Promise<void> {
    requests = harness.watch(harness.host, certificateSigningRequests);
    reconciler = new ServingCertificates({
      ...{ host: harness.host, clock: harness.clock, namespace: NAMESPACE, requests },
      hostNodes: harness.hostNodes(),
      secrets: harness.watch(harness.host, secrets),
      policy: { mode, addresses: ADDRESSES },
    });
    await harness.settle(3);
  }

  /** Reconciles until it wants to wait; returns for how long. */
  async function run(name = NAME): Promise<number | undefined> {
    for (;;) {
      const { requeueAfterMs } = await reconciler.reconcile(name, harness.context);
      if (requeueAfterMs !== 0) return requeueAfterMs;
    }
  }

  function secret(): Secret | undefined {
    return harness.host.peek(secrets, REF);
  }

  function request(): CertificateSigningRequest {
    const [found] = harness.host.peekAll(certificateSigningRequests);
    if (found === undefined) throw new Error('there is no request');
    return found;
  }

  function condition(): NodeCondition | undefined {
    const { status } = harness.host.peek(nodes, { name: NAME }) ?? {};
    return status?.conditions?.find(({ type }) => type === KUBELET_SERVING_CONDITION);
  }

  /** What the signer would do; the certificate is of the request's key. */
  async function sign(): Promise<void> {
    const key = readMaterial(secret()).nextKey ?? '';
    const validity = { nowMs: harness.clock.now(), durationMs: 10 * 86_400_000 };
    const own = createSelfSigned(servingSubject(NAME, ADDRESSES), key, validity);
    const found = request();
    const certificate = Buffer.from(own).toString('base64');
    await harness.host.update(certificateSigningRequests, { ...found, status: { ...found.status, certificate } });
    await harness.settle(2);
  }

  function writes(): readonly string[] {
    const { calls } = harness.host;
    return calls.filter(({ verb }) => !['list', 'watch', 'get'].includes(verb)).map(({ verb }) => verb);
  }

  it('keeps a key, asks with it, and approves', async () => {
    expect(await run()).to.equal(60_000);
    expect(writes()).to.deep.equal(['create', 'create', 'update']);
    expect(Object.keys(secret()?.data ?? {})).to.deep.equal(['next.key']);
    expect(secret()?.metadata?.ownerReferences).to.deep.include({
      apiVersion: 'v1',
      kind: 'Node',
      name: NAME,
      uid: harness.host.peek(nodes, { name: NAME })?.metadata?.uid,
    });
    const { spec, status } = request();
    expect(spec).to.deep.include({
      signerName: 'kubernetes.io/kubelet-serving',
      usages: ['digital signature', 'server auth'],
    });
    expect(status?.conditions?.[0]).to.include({ type: 'Approved', status: 'True', reason: 'VirtualNode' });
  });

  it('goes on where a crash has stopped it, without a second request', async () => {
    await reconciler.reconcile(NAME, harness.context);
    await reconciler.reconcile(NAME, harness.context);
    await open('csr');
    await run();
    expect(writes()).to.deep.equal(['create', 'create', 'update']);
  });

  it('takes over a request that it does not know of yet', async () => {
    await run();
    const kept = request();
    const before = kept.metadata?.name;
    harness.host.erase(certificateSigningRequests, { name: before ?? '' });
    await harness.settle(2);
    expect(requests.store.size).to.equal(0);
    harness.host.seed(certificateSigningRequests, kept);
    harness.host.fail({
      verb: 'create',
      type: certificateSigningRequests,
      error: apiError(409, 'AlreadyExists'),
      times: 1,
    });
    await run();
    expect(request().metadata?.name).to.equal(before);
  });

  it('does nothing for nodes that are not virtual, or gone', async () => {
    harness.host.seed(nodes, { metadata: { name: 'real' } });
    await harness.settle(2);
    expect([await run('real'), await run('missing')]).to.deep.equal([undefined, undefined]);
    expect(writes()).to.deep.equal([]);
  });

  it('says on the node that it may not approve, and takes that back later', async () => {
    harness.host.fail({
      verb: 'update',
      type: certificateSigningRequests,
      error: apiError(403, 'Forbidden'),
      times: 2,
    });
    expect(await run()).to.equal(60_000);
    expect(condition()).to.include({ status: 'False', reason: 'CertificateNotApproved' });
    expect(condition()?.message).to.include(request().metadata?.name);
    const before = writes().length;
    await harness.settle(2);
    await run();
    expect(writes().length).to.equal(before + 1);
    expect(writes().at(-1)).to.equal('update');
  });

  it('says on the node who refused', async () => {
    await run();
    const denied = { type: 'Denied', status: 'True', reason: 'No', message: 'not here' };
    await harness.host.update(certificateSigningRequests, { ...request(), status: { conditions: [denied] } });
    await harness.settle(2);
    expect(await run()).to.equal(60_000);
    expect(condition()).to.include({ status: 'False', reason: 'CertificateDenied', message: 'No: not here' });
  });

  it('refuses a certificate that is of the wrong kind', async () => {
    // The one that the test signs is self-signed.
    await run();
    await sign();
    expect(await run()).to.equal(60_000);
    expect(condition()).to.include({ status: 'False', reason: 'CertificateUnusable' });
  });

  it('signs by itself when told so, once, and again in time', async () => {
    await open('self-signed');
    const restMs = (await run()) ?? 0;
    const { certificate = '' } = readMaterial(secret());
    expect(new X509Certificate(certificate).subject).to.equal(`O=system:nodes\nCN=system:node:${NAME}`);
    expect(restMs).to.equal(86_400_000);
    expect(writes()).to.deep.equal(['create']);
    await run();
    expect(writes()).to.deep.equal(['create']);
    await harness.clock.advance(300 * 86_400_000);
    await run();
    expect(writes()).to.deep.equal(['create', 'update']);
    expect(readMaterial(secret()).certificate).not.to.equal(certificate);
    expect(condition()).to.be.undefined;
  });
});
