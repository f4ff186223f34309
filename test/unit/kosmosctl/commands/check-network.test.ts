import { expect } from 'chai';
import { ApiError } from '../../../../src/kube/api-error.js';
import { clusters } from '../../../../src/kube/kosmos-resources.js';
import { namespaces, nodes, pods, secrets, services } from '../../../../src/kube/resource.js';
import type { LinkSummary } from '../../../../src/kosmosctl/network/render.js';
import type { TrialResult } from '../../../../src/kosmosctl/network/trial.js';
import type { Finding } from '../../../../src/kosmosctl/report/finding.js';
import type { CliResult } from '../../../support/cli-harness.js';
import { HOST_UID, NAMESPACE } from '../../../support/cli-federation.js';
import { FloaterWorld } from '../../../support/floater-world.js';

const JOURNAL = `/home/somebody/.local/state/kosmos/check-${HOST_UID}.jsonl`;

interface Document {
  readonly findings: readonly Finding[];
  readonly network?: { readonly summary: readonly LinkSummary[]; readonly results: readonly TrialResult[] };
}

describe('kosmosctl check of linked clusters', () => {
  let world: FloaterWorld;
  let files: Record<string, string>;

  beforeEach(async () => {
    world = await FloaterWorld.start();
    files = {};
  });

  afterEach(() => world.close());

  const run = (line = 'check', signal?: AbortSignal): Promise<CliResult> =>
    world.federation.run(line, { files, ...(signal !== undefined && { signal }) });

  async function check(line = 'check -o json'): Promise<Document & { readonly code: number; readonly err: string }> {
    const { code, out, err } = await run(line);
    return { code, err, ...(JSON.parse(out) as Document) };
  }

  const problems = (findings: readonly Finding[]): readonly string[] =>
    findings.filter(({ level }) => level === 'problem').map(({ where, what }) => `${where} ${what}`);

  /** What the check has made and not taken away. */
  function left(): readonly string[] {
    return [world.federation.host, world.federation.member].flatMap((client) =>
      [...client.peekAll(pods), ...client.peekAll(services), ...client.peekAll(namespaces)]
        .map(({ metadata }) => metadata?.name ?? '')
        .filter((name) => name !== 'kube-system'),
    );
  }

  it('tries every pair, Services and DNS, and finds everything well', async () => {
    const { code, findings, network, err } = await check();
    expect(problems(findings), err).to.deep.equal([]);
    expect(code).to.equal(0);
    const tried = network?.results.map(
      ({ from, to }) => `${from.node} ${to.kind === 'pod' ? to.node : `${to.kind} ${to.cluster}`}`,
    );
    expect(tried).to.have.members([
      ...['h1 h2', 'h2 h1', 'h1 m1', 'h2 m1', 'm1 h1', 'm1 h2'],
      ...['h1', 'h2', 'm1'].flatMap((node) => [`${node} service host`, `${node} service member1`]),
      ...['h1 dns host', 'h2 dns host', 'm1 dns member1'],
    ]);
    expect(network?.summary.find(({ from, to }) => from === 'host' && to === 'member1')?.mtu).to.equal(1450);
  });

  it('leaves nothing behind, and changes no node', async () => {
    await check();
    expect(left()).to.deep.equal([]);
    for (const { calls } of [world.federation.host, world.federation.member])
      expect(calls.filter(({ type, verb }) => type === nodes && verb !== 'list')).to.deep.equal([]);
  });

  it('tells people its progress, its result and a sum', async () => {
    const { code, out, err } = await run();
    expect(code).to.equal(0);
    expect(err).to.match(
      /ok {3}Start floaters: 3 in 2 clusters .*ok {3}Try the network: 15 of 15, 0 with failures .*ok {3}Remove floaters/s,
    );
    expect(out).to.match(/^STATUS +WHERE +WHAT +FOUND\nok +host +version/);
    expect(out).to.match(/host +member1 +ipv4 +2\/2 +2\/2 +2\/2 +2\/2 +- +1450 +0.5\/0.5 ms/);
    expect(out).to.match(/\d+ probes in [\d.]+ s: \d+ ok, 0 failed\n$/);
    expect(out).not.to.contain('ADDRESS');
    expect((await run('check -o wide')).out).to.match(/h1 +member1\/m1 +10\.2\.\d\.2 +0\.5 ms/);
  });

  it('names failures first, with cause and cure, and ends with 3', async () => {
    world.judge = (_from, target, probe) =>
      target.id.includes('> member1/m1') && probe === 'udp' ? { ok: false, error: 'TIMEOUT' } : undefined;
    const { code, out } = await run();
    expect(code).to.equal(3);
    const [, first] = out.split('\n');
    expect(first).to.match(
      /^problem +host > member1 +udp +udp does not get through \(no answer\), while icmp, tcp, mtu gets through$/,
    );
    expect(out).to.contain('What to do:\n  host > member1, udp: A firewall or NetworkPolicy drops UDP');
  });

  it('tries again what failed, so that a failure by chance is none', async () => {
    const failed = new Set<string>();
    world.judge = (_from, target, probe) => {
      if (probe !== 'tcp' || failed.has(target.id)) return undefined;
      failed.add(target.id);
      return { ok: false, error: 'TIMEOUT' };
    };
    const { code } = await check();
    expect(failed.size).to.be.greaterThan(5);
    expect(code).to.equal(0);
  });

  it('goes to global addresses where ranges are mapped', async () => {
    world.link(
      'member1',
      {},
      { kubeconfigSecretRef: { name: 'member1', namespace: NAMESPACE } },
      {
        globalCIDRsMap: { '10.0.0.0/8': '242.0.0.0/8' },
      },
    );
    const { network } = await check();
    for (const { from, to, ip = '' } of network?.results ?? []) {
      if (to.kind === 'dns') continue;
      const isMapped = to.cluster === 'member1' && from.cluster === 'host';
      expect(ip).to.match(isMapped ? /^242\./ : /^10\./);
    }
  });

  describe('on a bad node', () => {
    it('says why its floater does not run, and checks all others', async () => {
      world.floaters.set('h2', { phase: 'Failed', reason: 'OutOfpods', message: 'Too many pods' });
      const { code, findings, network } = await check();
      expect(code).to.equal(3);
      expect(problems(findings)).to.deep.equal(['host/h2 floater']);
      expect(findings.find(({ where }) => where === 'host/h2')?.message).to.contain('Too many pods');
      expect(network?.results.map(({ from }) => from.node))
        .to.include.members(['h1', 'm1'])
        .and.not.include('h2');
    });

    it('leaves out one that is not ready', async () => {
      world.federation.host.edit(
        nodes,
        { name: 'h2' },
        { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
      );
      const { findings } = await check();
      expect(findings.find(({ where }) => where === 'host/h2')?.message).to.equal('not tried: the node is not ready');
    });

    it('says so when a floater may not be made', async () => {
      const error = new ApiError({ code: 403, reason: 'Forbidden', message: 'exceeded quota' });
      world.federation.host.fail({ verb: 'create', type: pods, error });
      const { findings, network } = await check();
      expect(findings.find(({ what }) => what === 'floater')?.message).to.contain(
        'no floater can be made: exceeded quota',
      );
      expect(network?.results.length).to.be.greaterThan(0);
      expect(left()).to.deep.equal([]);
    });

    it('says which probes were not made when its log tells nothing', async () => {
      world.judge = (from) => (from === 'h2' ? 'silent' : undefined);
      const { code, findings } = await check();
      expect(code).to.equal(3);
      expect(problems(findings)).to.deep.equal(['from host/h2 floater', 'from host/h2 floater']);
      expect(findings.some(({ message }) => /^5 of its probes were not made$/.test(message))).to.equal(true);
    });
  });

  describe('of a cluster that can not be checked', () => {
    it('names the rights that are missing, and checks the others', async () => {
      world.federation.memberServer.allows = ({ resource, subresource }) =>
        !(resource === 'pods' && subresource === 'log');
      const { code, findings, network } = await check();
      expect(code).to.equal(3);
      const found = findings.find(({ what, where }) => what === 'rights' && where === 'member1');
      expect(found?.message).to.equal('its network is not tried: missing: get pods/log');
      expect(found?.cure).to.equal('Give a kubeconfig that may: --member-kubeconfig member1=FILE');
      expect(network?.results.map(({ to }) => to.cluster)).not.to.include('member1');
    });

    it('says that the credential is missing', async () => {
      world.federation.host.erase(secrets, { namespace: NAMESPACE, name: 'member1' });
      const { code, findings } = await check();
      expect(code).to.equal(3);
      expect(findings.find(({ where, level }) => where === 'member1' && level === 'problem')?.message).to.contain(
        'is missing',
      );
    });

    it('takes the kubeconfig that is given for it', async () => {
      world.federation.host.erase(secrets, { namespace: NAMESPACE, name: 'member1' });
      const { code } = await check('check -o json --member-kubeconfig member1=/member.yaml');
      expect(code).to.equal(0);
    });

    it('does without Services where none may be made, and says so', async () => {
      const error = new ApiError({ code: 403, reason: 'Forbidden', message: 'no' });
      for (const verb of ['create', 'get', 'delete'] as const) {
        world.federation.member.fail({ verb, type: services, error, times: 9 });
      }
      const { code, findings, network } = await check();
      expect(code).to.equal(0);
      expect(
        findings.filter(({ level }) => level === 'warning').map(({ where, what }) => `${where} ${what}`),
      ).to.deep.equal(['member1 service']);
      const tried = network?.results.filter(({ to }) => to.kind === 'service').map(({ to }) => to.cluster);
      expect(new Set(tried)).to.deep.equal(new Set(['host']));
    });
  });

  it('passes on what the manager says of the link', async () => {
    const overlap = {
      type: 'ClusterLinkReady',
      status: 'False',
      reason: 'PlanProblem',
      message: '10.1.0.0/16 of both',
    };
    world.federation.host.edit(clusters, { name: 'member1' }, { status: { conditions: [overlap] } });
    const { code, findings } = await check();
    expect(code).to.equal(3);
    expect(findings[0]).to.include({ where: 'member1', what: 'link', message: 'PlanProblem: 10.1.0.0/16 of both' });
  });

  it('only looks when it is told to, or when it is about a member that is to join', async () => {
    for (const line of ['check --no-network -o json', 'check --kubeconfig /member.yaml -o json']) {
      const { network } = await check(line);
      expect(network).to.equal(undefined);
    }
    expect(world.federation.host.callsOf({ verb: 'create', type: pods })).to.deep.equal([]);
  });

  it('tries less when less is asked for', async () => {
    const { network } = await check('check -o json --src host --dst member1 --protocol icmp,udp');
    expect(
      network?.results.map(({ from, to, outcomes }) => [from.node, to.cluster, Object.keys(outcomes)]),
    ).to.have.deep.members([
      ['h1', 'member1', ['icmp', 'udp']],
      ['h2', 'member1', ['icmp', 'udp']],
    ]);
  });

  it('lets so many nodes try at the same time, and no more', async () => {
    await check('check -o json --parallel 1');
    expect(world.mostProbes).to.equal(1);
  });

  it('uses the image that is named, else that of this version', async () => {
    const image = (): unknown =>
      world.federation.host
        .callsOf({ verb: 'create', type: pods })
        .map(({ body }) => (body as { spec: { containers: [{ image: string }] } }).spec.containers[0].image)
        .at(-1);
    await check();
    expect(image()).to.equal('kosmos.local/kosmos:0.1.0');
    await check('check -o json --image registry.example.com/kosmos:2');
    expect(image()).to.equal('registry.example.com/kosmos:2');
  });

  describe('goes on with --resume', () => {
    it('after it was interrupted, and has removed everything by then', async () => {
      const abort = new AbortController();
      world.judge = (from) => {
        if (from === 'm1') abort.abort(new Error('interrupted'));
        return undefined;
      };
      const { code, err } = await run('check --parallel 1', abort.signal);
      expect(code).to.equal(130);
      expect(err).to.contain('interrupted');
      expect(left()).to.deep.equal([]);
      const known = files[JOURNAL]!.trimEnd().split('\n').length - 1;
      expect(known).to.be.within(1, 14);
      world.judge = () => undefined;
      const before = world.federation.host.calls.length;
      const resumed = await run('check --resume -o json');
      expect(resumed.code).to.equal(0);
      expect(resumed.err).to.contain(`${known} known from before`);
      expect((JSON.parse(resumed.out) as Document).network?.results).to.have.lengthOf(15);
      expect(world.federation.host.calls.length).to.be.greaterThan(before);
    });

    it('with what failed, and says the same as a whole check', async () => {
      world.judge = (from, _target, probe) =>
        from === 'm1' && probe === 'icmp' ? { ok: false, error: 'TIMEOUT' } : undefined;
      expect((await check()).code).to.equal(3);
      const tried = new Set<string>();
      world.judge = (_from, target) => void tried.add(target.id);
      const { code, network, err } = await check('check --resume -o json');
      expect([code, err.includes('13 known from before')]).to.deep.equal([0, true]);
      expect([...tried].sort()).to.deep.equal(['member1/m1 > host/h1 ipv4', 'member1/m1 > host/h2 ipv4']);
      expect(network?.results).to.have.lengthOf(15);
    });

    it('with everything when there is nothing to go on with', async () => {
      const { err, network } = await check('check --resume -o json');
      expect(err).to.contain('there is nothing to go on with; everything is tried');
      expect(network?.results).to.have.lengthOf(15);
    });
  });

  it('removes first what a check that was killed has left', async () => {
    const labels = { 'kosmos.io/check': 'floater' };
    world.federation.host.seed(namespaces, {
      metadata: { name: 'kosmos-check', labels: { ...labels, 'app.kubernetes.io/managed-by': 'kosmosctl' } },
    });
    world.federation.host.seed(pods, {
      metadata: { namespace: 'kosmos-check', name: 'floater-old', labels },
      spec: { containers: [], nodeName: 'gone' },
    });
    const { code } = await check();
    expect(code).to.equal(0);
    expect(left()).to.deep.equal([]);
  });

  it('keeps a namespace that was there before, and everything of others in it', async () => {
    world.federation.host.seed(namespaces, { metadata: { name: 'tools' } });
    world.federation.host.seed(pods, {
      metadata: { namespace: 'tools', name: 'others' },
      spec: { containers: [], nodeName: 'h1' },
      status: { phase: 'Running' },
    });
    const { code } = await check('check -o json -n tools');
    expect(code).to.equal(0);
    expect(left()).to.deep.equal(['others', 'tools']);
  });

  for (const [line, message] of [
    ['check --protocol sctp', '"sctp" is none of icmp, tcp, udp, mtu, service, dns.'],
    ['check --port 0', 'It is not a whole number from 1 to 65535.'],
    ['check --concurrency many', 'It is not a whole number from 1 to 256.'],
    ['check --member-kubeconfig member1', 'is not cluster=file'],
    ['check --timeout soon', 'It is neither a number of seconds nor a duration'],
  ] as const) {
    it(`refuses "${line}"`, async () => {
      const { code, err } = await run(line);
      expect(code).to.equal(2);
      expect(err).to.contain(message);
    });
  }
});
