import { expect } from 'chai';
import type {
  ObjectMeta,
  Pod,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../../../../src/apis/core.js';
import { CLUSTER_SELECTOR_ANNOTATION } from '../../../../src/apis/names.js';
import { Findings } from '../../../../src/clustertree/pod/findings.js';
import { translatePlacement, withParty } from '../../../../src/clustertree/pod/placement.js';
import { asJson, CONTEXT, deepFreeze, hostPod, type PodParts } from '../../../support/pods.js';

const HASH = 'pod-template-hash';
const LABELS = { app: 'web', [HASH]: 'abc' };
const WEB = { matchLabels: { app: 'web' } };

function place(parts: PodParts, context = CONTEXT): { placement: Record<string, unknown>; findings: Findings } {
  const findings = new Findings();
  const pod: Pod = deepFreeze(hostPod(parts));
  return { placement: asJson(translatePlacement(pod, context, findings)) as Record<string, unknown>, findings };
}

function paths(findings: Findings): string[] {
  return findings.dropped.map(({ path }) => path);
}

describe('translatePlacement: node selector', () => {
  it('keeps keys of machines, drops those of virtual nodes and says so', () => {
    const nodeSelector = { 'kosmos.io/cluster': 'member1', 'kubernetes.io/arch': 'arm64' };
    const { placement, findings } = place({ spec: { nodeSelector } });
    expect(placement).to.deep.equal({ nodeSelector: { 'kubernetes.io/arch': 'arm64' } });
    expect(paths(findings)).to.deep.equal(['spec.nodeSelector[kosmos.io/cluster]']);
  });

  it('is absent when nothing is left', () => {
    expect(place({ spec: { nodeSelector: { 'kubernetes.io/hostname': 'x' } } }).placement).to.deep.equal({});
  });
});

describe('translatePlacement: tolerations', () => {
  const own = { key: 'team', value: 'a', effect: 'NoSchedule' };
  const context = {
    ...CONTEXT,
    virtualNode: { ...CONTEXT.virtualNode, taints: [own, { key: 'x', effect: 'NoExecute' }] },
  };
  const rows: [string, Toleration, boolean][] = [
    ['our taint', { key: 'kosmos.io/node', operator: 'Equal', value: 'true', effect: 'NoSchedule' }, false],
    ['our taint with any value', { key: 'kosmos.io/node', operator: 'Exists' }, false],
    ['a taint of the leaf model', { key: 'team', operator: 'Equal', value: 'a', effect: 'NoSchedule' }, false],
    ['a taint of the leaf model with any value and effect', { key: 'team', operator: 'Exists' }, false],
    ['a taint without value', { key: 'x', operator: 'Equal', effect: 'NoExecute' }, false],
    ['the same key with another value', { key: 'team', operator: 'Equal', value: 'b' }, true],
    ['the same key with another effect', { key: 'team', operator: 'Exists', effect: 'NoExecute' }, true],
    ['everything', { operator: 'Exists' }, true],
    ['a taint of machines', { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }, true],
    [
      'node failures for a time of its own',
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 },
      true,
    ],
    ['node failures for ever', { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }, true],
    [
      'node failures for the default time',
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
      false,
    ],
  ];
  for (const [name, toleration, kept] of rows) {
    it(`${kept ? 'keeps' : 'drops'} one for ${name}`, () => {
      const { placement } = place({ spec: { tolerations: [toleration] } }, context);
      expect(placement).to.deep.equal(kept ? { tolerations: [toleration] } : {});
    });
  }

  it('says which it dropped, but not those that the member adds itself', () => {
    const tolerations = [{ key: 'gpu' }, { key: 'kosmos.io/node' }, rows.at(-1)![1]];
    expect(paths(place({ spec: { tolerations } }).findings)).to.deep.equal(['spec.tolerations[1]']);
  });
});

describe('translatePlacement: pod affinity', () => {
  const term = (topologyKey: string): PodAffinityTerm => ({ topologyKey, labelSelector: WEB });
  for (const field of ['podAffinity', 'podAntiAffinity'] as const) {
    it(`keeps terms of ${field} over host names, zones and regions, and drops those over clusters`, () => {
      const terms = ['kubernetes.io/hostname', 'topology.kubernetes.io/zone', 'kosmos.io/cluster'].map(term);
      const preferred = terms.map((podAffinityTerm, index) => ({ weight: index + 1, podAffinityTerm }));
      const affinity = {
        [field]: {
          requiredDuringSchedulingIgnoredDuringExecution: terms,
          preferredDuringSchedulingIgnoredDuringExecution: preferred,
        },
      };
      const { placement, findings } = place({ spec: { affinity } });
      expect(placement).to.deep.equal({
        affinity: {
          [field]: {
            requiredDuringSchedulingIgnoredDuringExecution: terms.slice(0, 2),
            preferredDuringSchedulingIgnoredDuringExecution: preferred.slice(0, 2),
          },
        },
      });
      expect(paths(findings)).to.deep.equal(Array(2).fill(`spec.affinity.${field}[kosmos.io/cluster]`));
    });
  }

  it('drops terms over labels that no member node has', () => {
    const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('rack')] } };
    expect(place({ spec: { affinity } }).placement).to.deep.equal({ affinity });
    expect(place({ spec: { affinity } }, { ...CONTEXT, memberLabelKeys: new Set(['disk']) }).placement).to.deep.equal(
      {},
    );
  });

  it('keeps the node affinity that concerns machines', () => {
    const disk = { key: 'disk', operator: 'Exists' };
    const cluster = { key: 'kosmos.io/cluster', operator: 'Exists' };
    const nodeAffinity = (...matchExpressions: object[]): object => ({
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } },
    });
    expect(place({ spec: { affinity: nodeAffinity(disk, cluster) } }).placement).to.deep.equal({
      affinity: nodeAffinity(disk),
    });
    expect(place({ spec: { affinity: nodeAffinity(cluster) } }).placement).to.deep.equal({});
  });

  it('is absent when the pod has an empty one', () => {
    expect(place({ spec: { affinity: { podAffinity: {}, nodeAffinity: {} } } }).placement).to.deep.equal({});
  });
});

describe('translatePlacement: label keys of selectors', () => {
  const expression = (operator: string): object => ({ key: HASH, operator, values: ['abc'] });
  function antiAffinity(term: object): unknown {
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term as PodAffinityTerm] } };
    const { placement } = place({ metadata: { labels: LABELS }, spec: { affinity } });
    const result = placement['affinity'] as { podAntiAffinity: Record<string, [unknown]> };
    return result.podAntiAffinity['requiredDuringSchedulingIgnoredDuringExecution']?.[0];
  }
  const base = { topologyKey: 'kubernetes.io/hostname' };

  it('leaves out keys that the host has turned into expressions, which a member would refuse', () => {
    const labelSelector = { ...WEB, matchExpressions: [expression('In')] };
    expect(antiAffinity({ ...base, labelSelector, matchLabelKeys: [HASH] })).to.deep.equal({ ...base, labelSelector });
  });

  it('turns keys into expressions when the host has not', () => {
    expect(
      antiAffinity({ ...base, labelSelector: WEB, matchLabelKeys: [HASH], mismatchLabelKeys: [HASH] }),
    ).to.deep.equal({
      ...base,
      labelSelector: { ...WEB, matchExpressions: [expression('In'), expression('NotIn')] },
    });
  });

  it('ignores keys that the pod has no label of', () => {
    expect(antiAffinity({ ...base, labelSelector: WEB, matchLabelKeys: ['x'] })).to.deep.equal({
      ...base,
      labelSelector: WEB,
    });
  });
});

describe('translatePlacement: topology spread', () => {
  const constraint = (topologyKey: string, more: object = {}): TopologySpreadConstraint => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: WEB,
    ...more,
  });
  function spread(...topologySpreadConstraints: TopologySpreadConstraint[]): unknown {
    return place({ metadata: { labels: LABELS }, spec: { topologySpreadConstraints } }).placement[
      'topologySpreadConstraints'
    ];
  }

  it('drops constraints over clusters', () => {
    expect(spread(constraint('kosmos.io/cluster'))).to.be.undefined;
  });

  it('keeps constraints over zones, without the number of domains', () => {
    const zone = constraint('topology.kubernetes.io/zone');
    expect(spread({ ...zone, minDomains: 3 })).to.deep.equal([zone]);
  });

  it('makes a preference of constraints over host names', () => {
    expect(spread(constraint('kubernetes.io/hostname'))).to.deep.equal([
      constraint('kubernetes.io/hostname', { whenUnsatisfiable: 'ScheduleAnyway' }),
    ]);
  });

  it('makes no second preference over host names, which an API server would refuse', () => {
    const soft = constraint('kubernetes.io/hostname', { whenUnsatisfiable: 'ScheduleAnyway', maxSkew: 2 });
    expect(spread(soft, constraint('kubernetes.io/hostname'))).to.deep.equal([soft]);
  });

  it('turns label keys into expressions', () => {
    expect(spread(constraint('zone', { matchLabelKeys: [HASH] }))).to.deep.equal([
      constraint('zone', {
        labelSelector: { ...WEB, matchExpressions: [{ key: HASH, operator: 'In', values: ['abc'] }] },
      }),
    ]);
  });
});

describe('translatePlacement: cluster selector', () => {
  const annotated = (value: string): ObjectMeta => ({
    annotations: { [CLUSTER_SELECTOR_ANNOTATION]: value },
  });

  it('replaces the placement rules of the pod', () => {
    const selector = { nodeSelector: { disk: 'ssd' }, tolerations: [{ operator: 'Exists' }] };
    const spec = { nodeSelector: { a: 'b' }, topologySpreadConstraints: [], tolerations: [] };
    const { placement } = place({ metadata: annotated(JSON.stringify(selector)), spec });
    expect(placement).to.deep.equal(selector);
  });

  it("keeps the pod's affinity between pods, apart from clusters", () => {
    const terms = ['kosmos.io/cluster', 'zone'].map((topologyKey) => ({ topologyKey, labelSelector: WEB }));
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } };
    const { placement } = place({ metadata: annotated('{}'), spec: { affinity } });
    expect(placement).to.deep.equal({
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms.slice(1) } },
    });
  });

  it('removes the affinity when the annotation leaves nothing of it', () => {
    const terms = [{ topologyKey: 'kosmos.io/cluster', labelSelector: WEB }];
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } };
    expect(place({ metadata: annotated('{}'), spec: { affinity } }).placement).to.deep.equal({});
  });

  it('refuses a pod whose annotation is not valid and says how to cure it', () => {
    const { placement, findings } = place({ metadata: annotated('{nodeSelector') });
    expect(placement).to.deep.equal({});
    expect(findings.refusals).to.have.lengthOf(1);
    expect(findings.refusals[0]).to.include({
      reason: 'InvalidClusterSelector',
      path: 'metadata.annotations[kosmos.io/cluster-selector]',
    });
    expect(findings.refusals[0]?.message).to.contain('is not JSON').and.contain('remove it');
  });
});

describe('withParty', () => {
  const party = {
    matchLabels: { pool: 'a' },
    matchExpressions: [{ key: 'gpu', operator: 'DoesNotExist' }],
  };
  const partyTerm = [
    { key: 'pool', operator: 'In', values: ['a'] },
    { key: 'gpu', operator: 'DoesNotExist' },
  ];
  const required = (...nodeSelectorTerms: object[]): object => ({
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
  });

  it('requires the labels of the party', () => {
    expect(asJson(withParty({}, party))).to.deep.equal({
      affinity: { nodeAffinity: required({ matchExpressions: partyTerm }) },
    });
  });

  it('requires them in every alternative of the pod', () => {
    const disk = { key: 'disk', operator: 'Exists' };
    const fields = [{ key: 'metadata.name', operator: 'In', values: ['n'] }];
    const placement = {
      nodeSelector: { a: 'b' },
      affinity: { nodeAffinity: required({ matchExpressions: [disk] }, { matchFields: fields }), podAffinity: {} },
    };
    expect(asJson(withParty(placement, party))).to.deep.equal({
      nodeSelector: { a: 'b' },
      affinity: {
        nodeAffinity: required(
          { matchExpressions: [disk, ...partyTerm] },
          { matchFields: fields, matchExpressions: partyTerm },
        ),
        podAffinity: {},
      },
    });
  });

  it('changes nothing for a party of all nodes', () => {
    const placement = { nodeSelector: { a: 'b' } };
    expect(withParty(placement, {})).to.equal(placement);
  });
});
