import { expect } from 'chai';
import { ApiError } from '../../../../src/kube/api-error.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { leases, nodes, pods, secrets } from '../../../../src/kube/resource.js';
import { deployments } from '../../../../src/kosmosctl/objects.js';
import type { Finding } from '../../../../src/kosmosctl/report/finding.js';
import { serviceAccountToken } from '../../../support/account-token.js';
import { createAuthority } from '../../../support/certificates.js';
import { CliFederation, clusterOf, HOST_UID, NAMESPACE, seedReady } from '../../../support/cli-federation.js';

const WEEK_SECONDS = 7 * 86_400;

describe('kosmosctl doctor', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
    federation.elect();
    const status = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
    const deployment = { metadata: { namespace: NAMESPACE, name: 'kosmos-manager' }, spec: { replicas: 2 }, status };
    federation.host.seed(deployments, deployment);
  });

  afterEach(() => federation.close());

  async function doctor(): Promise<{ readonly code: number; readonly findings: readonly Finding[] }> {
    const { code, out, err } = await federation.run('doctor -o json');
    expect(err).to.equal('');
    return { code, ...(JSON.parse(out) as { findings: readonly Finding[] }) };
  }

  async function finding(where: string, what: string): Promise<Finding | undefined> {
    return (await doctor()).findings.find((candidate) => candidate.where === where && candidate.what === what);
  }

  /** A member with a token of some age. */
  function seedMember(ageSeconds = 0): void {
    seedReady(federation.host, 'm');
    const issuedAtMs = federation.clock.now() - ageSeconds * 1000;
    const token = serviceAccountToken('kosmos-member', 'kosmos-m', issuedAtMs, WEEK_SECONDS);
    federation.host.seed(secrets, {
      metadata: { namespace: NAMESPACE, name: 'kosmos-member-m' },
      data: { kubeconfig: Buffer.from(federation.memberServer.kubeconfig(token)).toString('base64') },
    });
    federation.host.paths.set('/api/v1/nodes/kosmos-m/proxy/healthz', 'ok');
  }

  it('finds nothing wrong where nothing is, and says what it has looked at', async () => {
    seedMember();
    const { code, findings } = await doctor();
    expect(code).to.equal(0);
    expect(findings.map(({ where, what, level }) => `${where} ${what}: ${level}`)).to.deep.equal([
      'host version: ok',
      'host managers: ok',
      'host leader: ok',
      'host certificates: ok',
      'm Cluster: ok',
      'm kubelet API: ok',
      'm version: ok',
      'm credential: ok',
      'm pods: ok',
    ]);
  });

  it('changes nothing', async () => {
    seedMember();
    await doctor();
    for (const { verb } of [...federation.host.calls, ...federation.member.calls])
      expect(verb).to.be.oneOf(['get', 'list', 'getPath']);
  });

  it('says when no member has joined, and does not count the Cluster of the host', async () => {
    const metadata = { name: 'host', annotations: { 'kosmos.io/cluster-role': 'root' } };
    federation.host.seed(clusters, clusterOf('host', undefined, { metadata }));
    expect(await finding('host', 'members')).to.include({ level: 'ok', message: 'none has joined' });
  });

  it('has a code of its own, and says what to do in the end', async () => {
    federation.host.erase(leases, { namespace: NAMESPACE, name: 'kosmos-manager' });
    const { code, out } = await federation.run('doctor');
    expect(code).to.equal(3);
    expect(out).to.match(/^problem +host +leader +no manager leads$/m);
    expect(out).to.match(/\nWhat to do:\n {2}host, leader: Look whether any runs, and at its log\.\n$/);
  });

  describe('of the host', () => {
    it('takes a Lease that nobody holds for no leader', async () => {
      federation.host.edit(leases, { namespace: NAMESPACE, name: 'kosmos-manager' }, { spec: { holderIdentity: '' } });
      expect(await finding('host', 'leader')).to.include({ level: 'problem', message: 'no manager leads' });
    });

    it('only warns of a version that is not supported', async () => {
      federation.host.paths.set('/version', JSON.stringify({ gitVersion: 'v1.20.0' }));
      expect(await finding('host', 'version')).to.include({ level: 'warning' });
    });

    it('only warns when the managers run somewhere else', async () => {
      federation.host.erase(deployments, { namespace: NAMESPACE, name: 'kosmos-manager' });
      expect(await finding('host', 'managers')).to.include({
        level: 'warning',
        message: 'no Deployment kosmos-system/kosmos-manager',
      });
    });

    it('says how far a rollout is', async () => {
      federation.host.erase(deployments, { namespace: NAMESPACE, name: 'kosmos-manager' });
      const status = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 1 };
      const metadata = { namespace: NAMESPACE, name: 'kosmos-manager' };
      federation.host.seed(deployments, { metadata, spec: { replicas: 2 }, status } as never);
      const found = await finding('host', 'managers');
      expect(found).to.include({ level: 'problem', message: '1 of 2 managers are ready' });
      expect(found?.cure).to.contain('kubectl -n kosmos-system get pods');
    });

    it('goes on when one of the questions is refused', async () => {
      const error = new ApiError({ code: 403, reason: 'Forbidden' });
      federation.host.fail({ verb: 'get', type: leases, error, times: 9 });
      const { code, findings } = await doctor();
      expect(code).to.equal(3);
      expect(findings.map(({ what, level }) => `${what}: ${level}`)).to.deep.equal([
        'version: ok',
        'managers: ok',
        'leader: problem',
        'certificates: ok',
        'members: ok',
      ]);
    });

    it('says the same of everything when nobody answers', async () => {
      const files = { '/host.yaml': federation.hostServer.kubeconfig().replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1') };
      const { code, out } = await federation.run('doctor', { files });
      expect(code).to.equal(3);
      expect(out.match(/^problem +host/gm)).to.have.lengthOf(5);
    });
  });

  describe('of serving certificates', () => {
    const authority = createAuthority();
    const seed = (name: string, certificate: string | undefined): void => {
      const metadata = { namespace: NAMESPACE, name, labels: { 'kosmos.io/kubelet-serving': 'true' } };
      const data = certificate === undefined ? {} : { 'tls.crt': Buffer.from(certificate).toString('base64') };
      federation.host.seed(secrets, { metadata, data });
    };

    it('counts those that are good', async () => {
      // Good for a day around the time of the machine, not that of the test.
      federation.clock.slept = Date.now() - federation.clock.now();
      seed('good', authority.issue('n').certificate);
      expect(await finding('host', 'certificates')).to.include({ level: 'ok', message: '1 of kubelet APIs, all good' });
    });

    it('names all that have expired or can not be read', async () => {
      federation.clock.slept = Date.now() + 30 * 86_400_000 - federation.clock.now();
      seed('a-late', authority.issue('n').certificate);
      seed('b-nonsense', 'nonsense');
      seed('c-nothing', undefined);
      expect(await finding('host', 'certificates')).to.include({
        level: 'problem',
        message: 'expired or unreadable: a-late, b-nonsense, c-nothing',
      });
    });
  });

  describe('of a member', () => {
    it('says what the manager says', async () => {
      federation.host.seed(clusters, clusterOf('m', ['False', 'ProbeTimeout', 'no answer']));
      const found = await finding('m', 'Cluster');
      expect(found).to.include({ level: 'problem', message: 'ProbeTimeout: no answer' });
      expect(found?.cure).to.contain('kosmosctl describe cluster m');
    });

    it('does not stop at a member that nobody answers for', async () => {
      seedMember();
      federation.host.seed(clusters, clusterOf('a', ['True', 'AllWell']));
      const { findings } = await doctor();
      const problems = findings.filter(({ level }) => level === 'problem');
      expect(problems.map(({ where, what }) => `${where} ${what}`)).to.deep.equal(['a member']);
      expect(findings.filter(({ where }) => where === 'm')).to.have.lengthOf(5);
    });

    it('sees that a kubelet API does not answer the API server of the host', async () => {
      seedMember();
      federation.host.paths.delete('/api/v1/nodes/kosmos-m/proxy/healthz');
      expect(await finding('m', 'kubelet API')).to.include({ level: 'problem' });
    });

    it('asks the kubelet API of each virtual node', async () => {
      seedMember();
      const labels = { 'kosmos.io/node': 'true', 'kosmos.io/cluster': 'm' };
      federation.host.seed(nodes, { metadata: { name: 'second', labels } });
      federation.host.paths.set('/api/v1/nodes/second/proxy/healthz', 'ok');
      const messages = (await doctor()).findings.filter(({ what }) => what === 'kubelet API');
      expect(messages.map(({ message }) => message.split(' ')[0])).to.deep.equal(['kosmos-m', 'second']);
    });

    const ages: readonly (readonly [days: number, level: string, said: string])[] = [
      [0, 'ok', 'is good for 168h'],
      [3, 'ok', 'is good for 96h'],
      [4.8, 'ok', 'is good for 52h'],
      [5, 'problem', 'is good for 48h and is not being renewed'],
      [8, 'problem', 'is good for 0s and is not being renewed'],
    ];
    for (const [days, level, said] of ages) {
      it(`takes a token of a week that is ${days} days old for ${level === 'ok' ? 'good' : 'a problem'}`, async () => {
        seedMember(days * 86_400);
        const found = await finding('m', 'credential');
        expect(found).to.include({ level });
        expect(found?.message).to.equal(`the token of kosmos-member/kosmos-m ${said}`);
      });
    }

    it('says which pods there belong to nobody', async () => {
      seedMember();
      const labels = { 'kosmos.io/host-cluster': HOST_UID, 'kosmos.io/cluster': 'm' };
      const annotations = { 'kosmos.io/host-uid': 'gone' };
      federation.member.seed(pods, { metadata: { namespace: 'x', name: 'left', labels, annotations } });
      federation.member.seed(pods, { metadata: { namespace: 'x', name: 'of-others' } });
      expect(await finding('m', 'pods')).to.include({
        level: 'warning',
        message: '1 belong to none of the host, x/left for one',
      });
    });

    it('does not take the pods of another host or Cluster for its own', async () => {
      seedMember();
      const annotations = { 'kosmos.io/host-uid': 'x' };
      for (const [name, host, cluster] of [
        ['a', 'another-host', 'm'],
        ['b', HOST_UID, 'another'],
      ] as const) {
        const labels = { 'kosmos.io/host-cluster': host, 'kosmos.io/cluster': cluster };
        federation.member.seed(pods, { metadata: { namespace: 'x', name, labels, annotations } });
      }
      expect(await finding('m', 'pods')).to.include({ message: '0, and each belongs to one of the host' });
    });
  });
});
