import { expect } from 'chai';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { events, nodes, pods, secrets } from '../../../../src/kube/resource.js';
import { CliFederation, clusterOf, NAMESPACE, virtualNode } from '../../../support/cli-federation.js';
import { serviceAccountToken } from '../../../support/account-token.js';

const SECRET = { namespace: NAMESPACE, name: 'kosmos-member-m' };

describe('kosmosctl describe cluster', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
  });

  afterEach(() => federation.close());

  async function describeIt(): Promise<string> {
    const { code, out, err } = await federation.run('describe cluster m');
    expect([code, err]).to.deep.equal([0, '']);
    return out;
  }

  /** The line that begins with a word. */
  const line = (out: string, word: string): string =>
    out.split('\n').find((candidate) => candidate.trimStart().startsWith(word)) ?? '';

  it('says what is not known of a member that has just been made', async () => {
    federation.host.seed(clusters, { metadata: { name: 'm' }, spec: {} });
    expect(await describeIt()).to.equal(
      [
        'Name:        m',
        'Age:         0s',
        'Kubernetes:  <unknown>',
        'Mode:        <unknown>',
        'Nodes:       <unknown>',
        'Credential:  kubeconfig in the Cluster itself',
        '',
        'Conditions: <none>',
        '',
        'Virtual nodes: <none>',
        '',
        'Events: <none>',
        '',
      ].join('\n'),
    );
  });

  it('shows conditions with their age and words', async () => {
    federation.host.seed(clusters, clusterOf('m', ['False', 'ProbeTimeout', 'no answer for 10 s']));
    expect(line(await describeIt(), 'Ready').split(/ {3,}/)).to.deep.equal([
      ...['  Ready', 'False', 'ProbeTimeout', '60m', 'no answer for 10 s'],
    ]);
  });

  it('counts the pods of each virtual node of the member, and of no other', async () => {
    federation.host.seed(clusters, clusterOf('m', ['True', 'AllWell']));
    const status = { capacity: { pods: '110' } };
    federation.host.seed(nodes, virtualNode('n-1', 'm', 'True', { status }));
    federation.host.seed(nodes, virtualNode('n-2', 'm', 'Unknown'));
    federation.host.seed(nodes, virtualNode('foreign', 'other'));
    for (const [name, nodeName] of [
      ['a', 'n-1'],
      ['b', 'n-1'],
      ['c', 'foreign'],
      ['d', undefined],
    ] as const) {
      federation.host.seed(pods, { metadata: { namespace: 'x', name }, spec: { containers: [], nodeName } });
    }
    const out = await describeIt();
    expect(line(out, 'n-1').trim().split(/ {3,}/)).to.deep.equal(['n-1', 'True', '2', '110']);
    expect(line(out, 'n-2').trim().split(/ {3,}/)).to.deep.equal(['n-2', 'Unknown', '0']);
    expect(out).not.to.contain('foreign');
  });

  it('shows Events of the Cluster, the newest last, whichever of their times they have', async () => {
    federation.host.seed(clusters, clusterOf('m', ['True', 'AllWell']));
    const event = (name: string, reason: string, more: object): void => {
      const involvedObject = { kind: 'Cluster', name: 'm' };
      const metadata = { namespace: 'default', name, creationTimestamp: '2025-12-31T23:00:00Z' };
      federation.host.seed(events, { metadata, involvedObject, type: 'Normal', reason, message: 'words', ...more });
    };
    event('a', 'Newest', { lastTimestamp: '2025-12-31T23:59:00Z' });
    event('b', 'Oldest', { lastTimestamp: null, eventTime: '2025-12-31T22:00:00Z' });
    event('c', 'Middle', { lastTimestamp: null, eventTime: null });
    event('d', 'Foreign', { involvedObject: { kind: 'Cluster', name: 'other' } });
    const out = await describeIt();
    expect([...out.matchAll(/(\S+) +Normal +(\w+)/g)].map(([, age, reason]) => [age, reason])).to.deep.equal([
      ['2h', 'Oldest'],
      ['60m', 'Middle'],
      ['60s', 'Newest'],
    ]);
  });

  describe('of the credential', () => {
    const seedSecret = (token: string): void => {
      const kubeconfig = federation.memberServer.kubeconfig(token);
      const data = { kubeconfig: Buffer.from(kubeconfig).toString('base64') };
      federation.host.seed(secrets, { metadata: SECRET, data });
    };
    beforeEach(() => {
      federation.host.seed(clusters, clusterOf('m', ['True', 'AllWell']));
    });

    it('says whose it is and when it ends, and never what it is', async () => {
      const token = serviceAccountToken('kosmos-member', 'kosmos-m', federation.clock.now(), 3600);
      seedSecret(token);
      const out = await describeIt();
      expect(line(out, 'Credential:')).to.equal(
        'Credential:  Secret kosmos-system/kosmos-member-m, token of kosmos-member/kosmos-m until 2026-01-01T01:00:00.000Z',
      );
      for (const part of token.split('.')) expect(out).not.to.contain(part);
    });

    it('names the Secret of something else that does not end', async () => {
      seedSecret('opaque');
      const out = await describeIt();
      expect(line(out, 'Credential:')).to.equal('Credential:  Secret kosmos-system/kosmos-member-m');
      expect(out).not.to.contain('opaque');
    });

    it('says that the Secret is missing', async () => {
      expect(line(await describeIt(), 'Credential:')).to.match(/kosmos-member-m, which is missing$/);
    });

    it('looks for a Secret without namespace in that of Kosmos', async () => {
      federation.host.edit(clusters, { name: 'm' }, { spec: { kubeconfigSecretRef: { namespace: null } } });
      seedSecret('opaque');
      expect(line(await describeIt(), 'Credential:')).to.equal('Credential:  Secret kosmos-system/kosmos-member-m');
    });

    it('goes without what a Secret that is not valid says', async () => {
      federation.host.seed(secrets, { metadata: SECRET, data: { kubeconfig: Buffer.from('{[').toString('base64') } });
      expect(line(await describeIt(), 'Credential:')).to.equal('Credential:  Secret kosmos-system/kosmos-member-m');
    });
  });

  it('ends with an error for one that is not there', async () => {
    const { code, out, err } = await federation.run('describe cluster nobody');
    expect([code, out, err]).to.deep.equal([
      1,
      '',
      'error: there is no Cluster "nobody"\nSee: kosmosctl get clusters\n',
    ]);
  });
});
