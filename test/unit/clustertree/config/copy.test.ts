import { expect } from 'chai';
import type { ObjectMeta } from '../../../../src/apis/core.js';
import { desiredCopy, diffCopy } from '../../../../src/clustertree/config/copy.js';
import {
  CONFIG_MAP_KIND,
  SECRET_KIND,
  trimHostObject,
  type Content,
} from '../../../../src/clustertree/config/kinds.js';
import { OWNERSHIP } from '../../../support/member-harness.js';
import { asJson, deepFreeze } from '../../../support/pods.js';

const OWN_LABELS = {
  'kosmos.io/host-cluster': OWNERSHIP.hostClusterUid,
  'kosmos.io/cluster': OWNERSHIP.clusterName,
  'kosmos.io/owner': OWNERSHIP.owner,
};

function host(more: Partial<Content> = {}): Content {
  return deepFreeze({ ...more, metadata: { namespace: 'shop', name: 'settings', uid: 'host-uid', ...more.metadata } });
}

const copyOfMap = (more: Partial<Content> = {}): Content =>
  desiredCopy(CONFIG_MAP_KIND, host(more), OWNERSHIP, 'settings');
const copyOfSecret = (more: Partial<Content> = {}): Content =>
  desiredCopy(SECRET_KIND, host(more), OWNERSHIP, 'settings');

describe('desiredCopy', () => {
  it('carries data, labels and annotations, and says whose copy it is', () => {
    const content = { data: { a: '1' }, binaryData: { b: 'AA==' }, immutable: true };
    const metadata = { labels: { app: 'shop' }, annotations: { note: 'x' } };
    expect(asJson(copyOfMap({ ...content, metadata }))).to.deep.equal({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        namespace: 'shop',
        name: 'settings',
        labels: { app: 'shop', ...OWN_LABELS },
        annotations: { note: 'x', 'kosmos.io/host-uid': 'host-uid' },
      },
      ...content,
    });
  });

  it('carries nothing that belongs to the host alone', () => {
    const { metadata } = copyOfMap({
      metadata: {
        resourceVersion: '7',
        generation: 1,
        creationTimestamp: '2026-01-01T00:00:00Z',
        finalizers: ['a/b'],
        ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }],
        managedFields: [{ manager: 'kubectl' }],
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': '{"data":{}}',
          'kosmos-io/cluster-owners': 'member9',
          'kosmos.io/host-uid': 'of-another-federation',
        },
        labels: { 'kosmos.io/host-cluster': 'another' },
      },
    });
    expect(asJson(metadata)).to.deep.equal({
      namespace: 'shop',
      name: 'settings',
      labels: OWN_LABELS,
      annotations: { 'kosmos.io/host-uid': 'host-uid' },
    });
  });

  it('takes the name that it is to have in the member', () => {
    const source = host({ metadata: { name: 'kube-root-ca.crt' } });
    const copy = desiredCopy(CONFIG_MAP_KIND, source, OWNERSHIP, 'master-root-ca.crt');
    expect(copy.metadata?.name).to.equal('master-root-ca.crt');
  });

  it('keeps the type of a Secret', () => {
    expect(copyOfSecret({ type: 'kubernetes.io/tls' }).type).to.equal('kubernetes.io/tls');
    expect(copyOfSecret().type).to.equal('Opaque');
    expect(copyOfMap()).to.not.have.property('type');
  });

  it("keeps the member's controllers off a token of the host", () => {
    const copy = copyOfSecret({
      type: 'kubernetes.io/service-account-token',
      data: { token: 'dA==' },
      metadata: {
        annotations: { 'kubernetes.io/service-account.name': 'robot', 'kubernetes.io/service-account.uid': 'u' },
      },
    });
    expect(copy).to.deep.include({ type: 'Opaque', data: { token: 'dA==' } });
    expect(copy.metadata?.annotations).to.deep.equal({ 'kosmos.io/host-uid': 'host-uid' });
  });
});

describe('diffCopy', () => {
  const WANTED = copyOfSecret({ type: 'x/y', data: { a: '1' }, metadata: { labels: { app: 'shop' } } });

  /** What the member has: the wanted copy with differences. */
  function actual(more: Partial<Content> = {}, metadata: Partial<ObjectMeta> = {}): Content {
    const own = { uid: 'copy-uid', resourceVersion: '7', creationTimestamp: '2026-01-01T00:00:00Z' };
    return deepFreeze({ ...WANTED, ...more, metadata: { ...WANTED.metadata, ...own, ...metadata } });
  }

  const managedBy = (manager: string, labels: string[]): NonNullable<ObjectMeta['managedFields']> => [
    { manager, fieldsV1: { 'f:metadata': { 'f:labels': Object.fromEntries(labels.map((key) => [`f:${key}`, {}])) } } },
  ];

  it('is nothing for a copy that is as wanted', () => {
    expect(diffCopy(WANTED, actual())).to.be.undefined;
  });

  it('takes what is absent and what is empty for the same', () => {
    expect(diffCopy({ ...WANTED, data: {} }, actual({ data: undefined }))).to.be.undefined;
    expect(diffCopy(WANTED, actual({ immutable: false }))).to.be.undefined;
  });

  const changes: [string, Partial<Content>][] = [
    ['a changed value', { data: { a: '2' } }],
    ['a value too many', { data: { a: '1', b: '2' } }],
    ['a missing value', { data: {} }],
    ['other binary data', { binaryData: { x: 'AA==' } }],
  ];
  for (const [title, difference] of changes) {
    it(`puts ${title} right, and means the object that it saw`, () => {
      const change = diffCopy(WANTED, actual(difference));
      expect(change?.kind).to.equal('update');
      const object = change?.kind === 'update' ? change.object : undefined;
      expect(object).to.deep.include({ data: { a: '1' }, type: 'x/y' });
      expect(object?.metadata).to.include({ uid: 'copy-uid', resourceVersion: '7' });
    });
  }

  it('makes a copy immutable in place', () => {
    expect(diffCopy({ ...WANTED, immutable: true }, actual())?.kind).to.equal('update');
  });

  it('puts labels and annotations right, and leaves those of others', () => {
    const change = diffCopy(
      WANTED,
      actual(
        {},
        { labels: { ...OWN_LABELS, app: 'x', theirs: '1' }, annotations: { theirs: '2' }, finalizers: ['a/b'] },
      ),
    );
    const metadata = change?.kind === 'update' ? change.object.metadata : undefined;
    expect(metadata?.labels).to.deep.equal({ ...OWN_LABELS, app: 'shop', theirs: '1' });
    expect(metadata?.annotations).to.deep.equal({ theirs: '2', 'kosmos.io/host-uid': 'host-uid' });
    expect(metadata?.finalizers).to.deep.equal(['a/b']);
    expect(diffCopy(WANTED, actual({}, { labels: { ...WANTED.metadata?.labels, theirs: '1' } }))).to.be.undefined;
  });

  it('removes a label that we wrote and the host no longer has', () => {
    const labels = { ...WANTED.metadata?.labels, old: 'x' };
    const ours = actual({}, { labels, managedFields: managedBy('kosmos-manager', ['old']) });
    const change = diffCopy(WANTED, ours);
    const metadata = change?.kind === 'update' ? change.object.metadata : undefined;
    expect(metadata?.labels).to.deep.equal(WANTED.metadata?.labels);
    expect(metadata).to.not.have.property('managedFields');
    expect(diffCopy(WANTED, actual({}, { labels, managedFields: managedBy('kubectl', ['old']) }))).to.be.undefined;
  });

  it('replaces a Secret of another type', () => {
    expect(diffCopy(WANTED, actual({ type: 'Opaque' }))).to.deep.equal({ kind: 'replace' });
  });

  it('replaces an immutable copy whose content has to change, or that has to be mutable', () => {
    expect(diffCopy(WANTED, actual({ immutable: true, data: { a: '2' } }))).to.deep.equal({ kind: 'replace' });
    expect(diffCopy(WANTED, actual({ immutable: true }))).to.deep.equal({ kind: 'replace' });
  });

  it('changes the labels of an immutable copy in place', () => {
    const wanted = { ...WANTED, immutable: true };
    expect(diffCopy(wanted, actual({ immutable: true }, { labels: OWN_LABELS }))?.kind).to.equal('update');
  });

  it('leads to a copy that needs no change', () => {
    const change = diffCopy(WANTED, actual({ data: { b: '2' } }, { labels: {}, annotations: { theirs: '1' } }));
    expect(change?.kind === 'update' && diffCopy(WANTED, change.object)).to.be.undefined;
  });
});

describe('trimHostObject', () => {
  it('keeps what tells whether an object has changed', () => {
    const version = { namespace: 'shop', name: 'settings', uid: 'host-uid', resourceVersion: '7' };
    const full = { metadata: { ...version, labels: { a: 'b' }, annotations: { c: 'd' }, managedFields: [] } };
    expect(trimHostObject(full)).to.deep.equal({ metadata: version });
    expect(asJson(trimHostObject({}))).to.deep.equal({ metadata: {} });
  });
});
