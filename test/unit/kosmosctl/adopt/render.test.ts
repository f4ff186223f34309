import { expect } from 'chai';
import { planDocument, renderPlan } from '../../../../src/kosmosctl/adopt/render.js';
import { found, problem, stays, type Finding, type Judgement } from '../../../../src/kosmosctl/adopt/judgement.js';
import type { RunningComponent } from '../../../../src/kosmosctl/adopt/stop.js';
import { deployments } from '../../../../src/kosmosctl/objects.js';
import { pods, secrets } from '../../../../src/kube/resource.js';

const adopt = (note?: string): Judgement => ({ kind: 'adopt', changes: [], ...(note !== undefined && { note }) });

function pod(name: string, judgement: Judgement): Finding {
  return found('member1', pods, { metadata: { namespace: 'shop', name } }, judgement);
}

const RUNNING = {
  ...{ cluster: 'host', namespace: 'kosmos-system', workload: {} },
  component: { type: deployments, name: 'clustertree-cluster-manager' },
} as unknown as RunningComponent;

describe('renderPlan', () => {
  it('counts what there is by cluster and kind, as it was found', () => {
    const findings = [
      pod('a', adopt()),
      pod('b', adopt()),
      pod('c', { kind: 'adopted' }),
      found('member2', secrets, { metadata: { namespace: 'shop', name: 's' } }, stays('nobody needs it')),
    ];
    expect(renderPlan({ findings, running: [] })).to.equal(
      [
        'CLUSTER   KIND     TO ADOPT   ADOPTED   STAYS   PROBLEMS',
        'member1   Pod      2          1         0       0',
        'member2   Secret   0          0         1       0',
        '',
        'Stays as it is:',
        'CLUSTER   KIND     NAME     WHY',
        'member2   Secret   shop/s   nobody needs it',
        '',
      ].join('\n'),
    );
  });

  it('says what is to be stopped, what is to be known, and what can not be adopted', () => {
    const findings = [pod('a', adopt('a new image')), pod('b', problem('it is gone'))];
    const text = renderPlan({ findings, running: [RUNNING] });
    expect(text).to.contain(
      '\nTo be stopped first:\nCLUSTER   COMPONENT\nhost      Deployment kosmos-system/clustertree-cluster-manager\n',
    );
    expect(text).to.contain('\nTo be known:\nCLUSTER   KIND   NAME     WHY\nmember1   Pod    shop/a   a new image\n');
    expect(text).to.contain(
      "\nCan't be adopted:\nCLUSTER   KIND   NAME     WHY\nmember1   Pod    shop/b   it is gone\n",
    );
  });

  it('shows some of many that are left for one reason, and all to a machine', () => {
    const findings = Array.from({ length: 8 }, (_, index) => pod(`p${index}`, stays('no such pod')));
    const text = renderPlan({ findings, running: [] });
    expect(text).to.contain('shop/p4').and.not.to.contain('shop/p5');
    expect(text).to.match(/member1 +Pod +and 3 more +likewise; -o json names them/);
    expect(planDocument({ findings, running: [] }))
      .to.have.property('findings')
      .with.length(8);
  });
});

describe('planDocument', () => {
  it('has an outcome and a reason for each, and nothing that is secret', () => {
    const judgement: Judgement = {
      ...{ kind: 'adopt', note: 'dropped: x' },
      changes: [
        { where: 'host', type: pods, ref: { name: 'x' }, how: 'merge', body: { spec: { kubeconfig: 'SECRET' } } },
      ],
    };
    const document = planDocument({ findings: [pod('a', judgement), pod('b', problem('gone'))], running: [RUNNING] });
    expect(document).to.deep.equal({
      running: [{ cluster: 'host', component: 'Deployment kosmos-system/clustertree-cluster-manager' }],
      findings: [
        { cluster: 'member1', kind: 'Pod', name: 'shop/a', outcome: 'adopt', why: 'dropped: x' },
        { cluster: 'member1', kind: 'Pod', name: 'shop/b', outcome: 'problem', why: 'gone' },
      ],
    });
  });
});
