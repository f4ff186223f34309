import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import type { CliContext } from '../../../../src/kosmosctl/context.js';
import { CliError } from '../../../../src/kosmosctl/failure.js';
import { findOverlap, podCidrsOf } from '../../../../src/kosmosctl/report/cidr-overlap.js';
import { bad, look, ok, printFindings, type Finding } from '../../../../src/kosmosctl/report/finding.js';
import { linkFindings, orphanFinding, readyFinding } from '../../../../src/kosmosctl/report/members.js';

describe('findOverlap', () => {
  const table: readonly (readonly [readonly string[], readonly string[], unknown])[] = [
    [['10.0.0.0/24'], ['10.0.1.0/24'], undefined],
    [['10.0.0.0/16'], ['10.0.1.0/24'], ['10.0.0.0/16', '10.0.1.0/24']],
    [['10.0.1.0/24'], ['10.0.0.0/16'], ['10.0.1.0/24', '10.0.0.0/16']],
    [['fd00::/64'], ['10.0.0.0/8', 'fd00::/48'], ['fd00::/64', 'fd00::/48']],
    [['10.0.0.0/8'], ['fd00::/8'], undefined],
    [[], ['10.0.0.0/8'], undefined],
  ];
  for (const [ones, others, overlap] of table) {
    it(`of [${ones.join()}] and [${others.join()}] is ${overlap === undefined ? 'none' : 'found'}`, () => {
      expect(findOverlap(ones, others)).to.deep.equal(overlap);
    });
  }

  it('takes the ranges from nodes, old and new fields alike', () => {
    const nodes = [{ spec: { podCIDR: 'b' } }, { spec: { podCIDR: 'a', podCIDRs: ['a', 'c'] } }, { spec: {} }];
    expect(podCidrsOf(nodes)).to.deep.equal(['a', 'b', 'c']);
  });
});

describe('findings', () => {
  let out: string;
  let exitCode: number | undefined;
  let context: CliContext;

  beforeEach(() => {
    [out, exitCode] = ['', undefined];
    const terminal = { out: (text: string) => void (out += text) };
    context = { terminal, setExitCode: (code: number) => void (exitCode = code) } as unknown as CliContext;
  });

  const FINDINGS: readonly Finding[] = [
    ok('host', 'version', 'fine'),
    bad('warning', { where: 'm1', what: 'pods' }, 'odd', 'Wait.'),
  ];

  it('are a table, with what to do below', () => {
    printFindings(FINDINGS, undefined, context);
    expect(out).to.equal(
      'STATUS    WHERE   WHAT      FOUND\nok        host    version   fine\nwarning   m1      pods      odd\n\nWhat to do:\n  m1, pods: Wait.\n',
    );
    expect(exitCode).to.equal(undefined);
  });

  it('end the command with a code of its own when one is a problem', () => {
    printFindings([bad('problem', { where: 'a', what: 'b' }, 'c')], 'json', context);
    expect(JSON.parse(out)).to.deep.equal({ findings: [{ where: 'a', what: 'b', level: 'problem', message: 'c' }] });
    expect(exitCode).to.equal(3);
  });

  it('are also what went wrong with looking', async () => {
    const error = new CliError('no answer', { cure: 'Ask again.' });
    expect(await look('m1', 'version', () => Promise.reject(error))).to.deep.equal([
      { where: 'm1', what: 'version', level: 'problem', message: 'no answer', cure: 'Ask again.' },
    ]);
    expect(await look('m1', 'x', () => Promise.resolve([ok('m1', 'x', 'y')]))).to.deep.equal([ok('m1', 'x', 'y')]);
  });

  it('say what the manager says of a member', () => {
    const condition = (status: 'True' | 'False') => ({
      metadata: { name: 'm1' },
      spec: {},
      status: { conditions: [{ type: 'Ready', status, reason: 'R', message: 'words', lastTransitionTime: '' }] },
    });
    expect(readyFinding(condition('True'))).to.deep.equal(ok('m1', 'Cluster', 'R'));
    expect(readyFinding(condition('False'))).to.include({ level: 'problem', message: 'R: words' });
    expect(readyFinding({ metadata: { name: 'm1' }, spec: {} })).to.include({ message: 'no manager has looked at it' });
  });

  it('say which pods in a member belong to none of the host', () => {
    const copy = (name: string, hostUid: string, more: object = {}): Pod => ({
      metadata: { name, namespace: 'a', annotations: { 'kosmos.io/host-uid': hostUid }, ...more },
    });
    const host: Pod[] = [{ metadata: { uid: '1' } }];
    const leaving = copy('z', '9', { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(orphanFinding('m', host, [copy('x', '1'), leaving])).to.include({ level: 'ok' });
    expect(orphanFinding('m', host, [copy('x', '1'), copy('y', '2')])).to.include({
      level: 'warning',
      message: '1 belong to none of the host, a/y for one',
    });
  });
});

describe('linkFindings', () => {
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  const linked = (status: 'True' | 'False', reason: string, enable = true): Cluster => ({
    metadata: { name: 'm' },
    spec: { clusterLinkOptions: { enable } },
    status: {
      conditions: [{ type: 'ClusterLinkReady', status, reason, message: 'why', lastTransitionTime }],
      clusterLinkStatus: { gateway: 'n1', nodes: { ready: 2, total: 2, summary: '2/2' } },
    },
  });

  it('says how many nodes are linked, and through which', () => {
    expect(linkFindings(linked('True', 'Linked'))).to.deep.include.members([
      { ...linkFindings(linked('True', 'Linked'))[0], where: 'm', what: 'network', message: '2 nodes, gateway n1' },
    ]);
  });

  it('says what is wrong, and what to do', () => {
    const [finding] = linkFindings(linked('False', 'NoGateway'));
    expect(JSON.stringify(finding)).to.contain('NoGateway: why').and.contain('kosmos.io/exclude');
  });

  it('says nothing of a network that is not linked', () => {
    expect(linkFindings(linked('False', 'Disabled', false))).to.deep.equal([]);
    expect(linkFindings({ metadata: { name: 'm' }, spec: {} })).to.deep.equal([]);
  });
});
