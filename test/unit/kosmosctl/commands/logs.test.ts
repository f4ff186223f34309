import { expect } from 'chai';
import { ApiError } from '../../../../src/kube/api-error.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { pods, secrets } from '../../../../src/kube/resource.js';
import { chooseContainer } from '../../../../src/kosmosctl/pod-target.js';
import { logQuery } from '../../../../src/kosmosctl/commands/logs.js';
import { CliFederation, clusterOf, NAMESPACE } from '../../../support/cli-federation.js';
import { expectMistake } from '../../../support/mistakes.js';

const container = (name: string): { name: string; image: string } => ({ name, image: 'i' });
const POD = { metadata: { namespace: 'shop', name: 'web' }, spec: { containers: [container('a'), container('b')] } };
const PATH = '/api/v1/namespaces/shop/pods/web/log';

describe('kosmosctl logs', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
    federation.host.seed(pods, POD);
    federation.host.paths.set(PATH, 'in host\n');
    federation.member.seed(pods, POD);
    federation.member.paths.set(PATH, 'in member\n');
    federation.host.seed(clusters, clusterOf('m', ['True', 'AllWell']));
  });

  afterEach(() => federation.close());

  const keepToken = (): void => {
    const data = { kubeconfig: Buffer.from(federation.memberServer.kubeconfig('of-the-manager')).toString('base64') };
    federation.host.seed(secrets, { metadata: { namespace: NAMESPACE, name: 'kosmos-member-m' }, data });
  };

  it('prints the log as the host has it, of the first container', async () => {
    const { code, out, err } = await federation.run('logs web -n shop');
    expect([code, out]).to.deep.equal([0, 'in host\n']);
    expect(err).to.equal('container "a" of: a, b\n');
    expect(federation.hostServer.requests.at(-1)?.query.toString()).to.equal('container=a');
  });

  it('asks a member with the identity that its managers have', async () => {
    keepToken();
    const { code, out } = await federation.run('logs web -n shop -c b --cluster m --tail 5 -p --since 90');
    expect([code, out]).to.deep.equal([0, 'in member\n']);
    const { query, headers } = federation.memberServer.requests.at(-1)!;
    expect(query.toString()).to.equal('container=b&previous=true&tailLines=5&sinceSeconds=90');
    expect(headers.authorization).to.equal('Bearer of-the-manager');
  });

  it('says what is missing', async () => {
    expectMistake('secret-missing', asMistake(await federation.run('logs web -n shop --cluster m')));
    expectMistake('no-such-cluster', asMistake(await federation.run('logs web -n shop --cluster nobody')));
    expectMistake('no-such-pod', asMistake(await federation.run('logs web')));
    expectMistake('no-such-container', asMistake(await federation.run('logs web -n shop -c z')));
  });

  it("passes the API server's own words on", async () => {
    federation.host.paths.delete(PATH);
    federation.host.fail({
      verb: 'getPath',
      error: new ApiError({ message: 'not started', code: 400 }, { statusCode: 400 }),
    });
    const { code, err } = await federation.run('logs web -n shop -c a');
    expect(code).to.equal(1);
    expect(err).to.match(/^error: the API server of the host \(http:\S+\) answers: not started\n$/);
  });

  it('refuses a number of lines that is none', async () => {
    const { code, err } = await federation.run('logs web --tail many');
    expect([code, err.includes('It is no number of lines.')]).to.deep.equal([2, true]);
  });
});

const asMistake = ({ code, err }: { code: number; err: string }): { code: number; stderr: string } => ({
  code,
  stderr: err,
});

describe('logQuery', () => {
  const none = { follow: false, previous: false, timestamps: false, tail: undefined, sinceSeconds: undefined };
  const target = { host: {}, cluster: undefined, namespace: 'n', pod: 'p', container: undefined };

  it('has only what was asked for', () => {
    expect(logQuery({ ...target, ...none }, 'a')).to.equal('container=a');
    expect(logQuery({ ...target, ...none, follow: true, timestamps: true, tail: 0 }, 'a')).to.equal(
      'container=a&follow=true&timestamps=true&tailLines=0',
    );
  });
});

describe('chooseContainer', () => {
  const annotated = (name: string) => ({
    ...POD,
    metadata: { annotations: { 'kubectl.kubernetes.io/default-container': name } },
  });

  it('takes the one that is named, also among init and ephemeral containers', () => {
    const pod = { spec: { ...POD.spec, initContainers: [container('i')], ephemeralContainers: [container('e')] } };
    for (const name of ['b', 'i', 'e']) expect(chooseContainer(pod, name)).to.include({ name, isGuess: false });
  });

  it('takes the one that the annotation names, when there is such', () => {
    expect(chooseContainer(annotated('b'), undefined)).to.include({ name: 'b', isGuess: false });
    expect(chooseContainer(annotated('z'), undefined)).to.include({ name: 'a', isGuess: true });
  });

  it('takes the first without a word when there is no other', () => {
    const pod = { spec: { containers: [container('a')] } };
    expect(chooseContainer(pod, undefined)).to.include({ name: 'a', isGuess: false });
  });
});
