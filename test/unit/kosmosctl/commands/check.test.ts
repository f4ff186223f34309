import { expect } from 'chai';
import { ApiError } from '../../../../src/kube/api-error.js';
import { namespaces, nodes } from '../../../../src/kube/resource.js';
import type { Finding } from '../../../../src/kosmosctl/report/finding.js';
import { CliFederation, HOST_UID } from '../../../support/cli-federation.js';

const BOTH = 'check --kubeconfig /member.yaml -o json';

describe('kosmosctl check', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
  });

  afterEach(() => federation.close());

  async function check(line: string): Promise<{ readonly code: number; readonly findings: readonly Finding[] }> {
    const { code, out, err } = await federation.run(line);
    expect(err).to.equal('');
    return { code, ...(JSON.parse(out) as { findings: readonly Finding[] }) };
  }

  const levels = (findings: readonly Finding[]): readonly string[] =>
    findings.map(({ where, what, level }) => `${where} ${what}: ${level}`);

  it('looks at the host alone when no member is named', async () => {
    const { code, findings } = await check('check -o json');
    expect(code).to.equal(0);
    expect(levels(findings)).to.deep.equal(['host version: ok', 'host rights: ok']);
    expect(federation.memberServer.requests).to.deep.equal([]);
  });

  it('looks at both, and at what they have in common', async () => {
    const { code, findings } = await check(BOTH);
    expect(code).to.equal(0);
    expect(levels(findings)).to.deep.equal([
      ...['host version: ok', 'host rights: ok'],
      ...['member version: ok', 'member rights: ok'],
      ...['member identity: ok', 'member pod addresses: ok'],
    ]);
  });

  it('changes nothing in either', async () => {
    await check(BOTH);
    for (const { method, path } of [...federation.hostServer.requests, ...federation.memberServer.requests])
      if (!path.endsWith('/selfsubjectaccessreviews')) expect(method).to.equal('GET');
  });

  it('names all rights that are missing, subresources as kubectl does', async () => {
    federation.hostServer.allows = ({ verb }) => verb !== 'escalate';
    federation.memberServer.allows = ({ resource }) => resource !== 'serviceaccounts';
    const { code, findings } = await check(BOTH);
    expect(code).to.equal(3);
    const missing = findings.filter(({ what }) => what === 'rights').map(({ message }) => message);
    expect(missing).to.deep.equal([
      'missing: escalate clusterroles',
      'missing: create serviceaccounts, create serviceaccounts/token',
    ]);
  });

  const versions: readonly (readonly [string, boolean])[] = [
    ['v1.30.9', false],
    ['v1.31.0', true],
    ['v1.37.2+k3s1', true],
    ['v1.36.0-gke.100', true],
    ['v1.38.0', false],
    ['v2.31.0', false],
    ['', false],
  ];
  for (const [gitVersion, isGood] of versions) {
    it(`${isGood ? 'accepts' : 'refuses'} a member of the version ${gitVersion || 'that it does not say'}`, async () => {
      federation.member.paths.set('/version', JSON.stringify({ gitVersion }));
      const { code, findings } = await check(BOTH);
      expect(code).to.equal(isGood ? 0 : 3);
      const found = findings.find(({ where, what }) => where === 'member' && what === 'version');
      if (isGood) expect(found?.message).to.equal(`Kubernetes ${gitVersion}`);
      else expect(found?.cure).to.equal('Use Kubernetes 1.31 to 1.37.');
      // The rest can be looked at all the same.
      expect(levels(findings)).to.include('member rights: ok');
    });
  }

  it('asks nothing more of a cluster that does not answer', async () => {
    const files = { '/member.yaml': federation.memberServer.kubeconfig().replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1') };
    const { code, out } = await federation.run(BOTH, { files });
    expect(code).to.equal(3);
    const { findings } = JSON.parse(out) as { findings: readonly Finding[] };
    expect(levels(findings)).to.deep.equal([
      ...['host version: ok', 'host rights: ok', 'member version: problem'],
      ...['member identity: problem', 'member pod addresses: problem'],
    ]);
  });

  it('does so whatever the words of the error are', async () => {
    const error = new ApiError({ code: 500, reason: 'InternalError', message: 'this is not supported' });
    federation.host.fail({ verb: 'getPath', error, times: 9 });
    expect(levels((await check('check -o json')).findings)).to.deep.equal(['host version: problem']);
  });

  it('notices that the member is the host itself', async () => {
    federation.member.erase(namespaces, { name: 'kube-system' });
    federation.member.seed(namespaces, { metadata: { name: 'kube-system', uid: HOST_UID } });
    const { code, findings } = await check(BOTH);
    expect(code).to.equal(3);
    expect(findings.find(({ what }) => what === 'identity')).to.include({ message: 'it is the host itself' });
  });

  it('only warns of ranges of pods that overlap, in either family', async () => {
    federation.host.seed(nodes, { metadata: { name: 'a' }, spec: { podCIDRs: ['10.1.0.0/24', 'fd00:1::/64'] } });
    federation.member.seed(nodes, { metadata: { name: 'a' }, spec: { podCIDRs: ['10.2.0.0/24', 'fd00:1::/56'] } });
    const { code, findings } = await check(BOTH);
    expect(code).to.equal(0);
    expect(findings.find(({ what }) => what === 'pod addresses')).to.include({
      level: 'warning',
      message: 'fd00:1::/64 of the host overlaps with fd00:1::/56 of the member',
    });
  });

  it('is a table for people', async () => {
    federation.hostServer.allows = () => false;
    const { code, out } = await federation.run('check');
    expect(code).to.equal(3);
    expect(out).to.match(
      /^STATUS +WHERE +WHAT +FOUND\nok +host +version +Kubernetes v1\.36\.3\nproblem +host +rights +missing: /,
    );
    expect(out).to.contain('What to do:\n  host, rights: Use a kubeconfig that has them');
  });
});
