import { expect } from 'chai';
import { WarmUp } from '../../../../src/clustertree/kubelet/warm-up.js';
import type { Cluster } from '../../../../src/apis/kosmos/v1alpha1/cluster.js';
import { FakeClock } from '../../../support/fake-clock.js';

describe('WarmUp', () => {
  let clock: FakeClock;
  let clusters: Cluster[];
  let warnings: unknown[];
  let unserved: string[];
  const complete = new Set<string>();
  const current = new Set<string>();
  const broken = new Set<string>();

  beforeEach(() => {
    clock = new FakeClock();
    clusters = ['a', 'b'].map((name) => ({ metadata: { name }, spec: {} }));
    warnings = [];
    unserved = [];
    for (const set of [complete, current, broken]) set.clear();
  });

  function create(): WarmUp {
    const nothing = (): void => undefined;
    const logger = { debug: nothing, info: nothing, error: nothing, child: () => logger, warn: warned };
    return new WarmUp({
      clusters: { list: () => clusters },
      isWanted: ({ metadata }) => metadata?.name !== 'network-only',
      isBroken: (cluster) => broken.has(cluster),
      member: (cluster) => (cluster === 'unknown' ? undefined : { pods: { hasSynced: complete.has(cluster) } }),
      hostPods: { isCurrent: (cluster) => current.has(cluster) },
      unserved: () => unserved,
      ...{ clock, logger, limitMs: 10_000 },
    });
  }

  function warned(_message: string, fields?: Record<string, unknown>): void {
    warnings.push(fields?.['cold']);
  }

  function warm(...names: readonly string[]): void {
    for (const name of names) {
      complete.add(name);
      current.add(name);
    }
  }

  it('is over at once without members', () => {
    clusters = [];
    expect(create().over).to.be.true;
  });

  it('lasts until the pods of all members are known on both sides', () => {
    const warmUp = create();
    warm('a');
    complete.add('b');
    expect(warmUp.over).to.be.false;
    current.add('b');
    expect(warmUp.over).to.be.true;
    expect(warnings).to.deep.equal([]);
  });

  it('lasts until all virtual nodes are served', () => {
    const warmUp = create();
    warm('a', 'b');
    unserved = ['kosmos-b'];
    expect(warmUp.over).to.be.false;
    unserved = [];
    expect(warmUp.over).to.be.true;
  });

  it('waits for a member that is not connected yet', () => {
    clusters = [{ metadata: { name: 'unknown' }, spec: {} }];
    warm('unknown');
    expect(create().over).to.be.false;
  });

  it('does not wait for Clusters without virtual nodes, or with a mistake', () => {
    clusters = ['network-only', 'mistaken'].map((name) => ({ metadata: { name }, spec: {} }));
    broken.add('mistaken');
    expect(create().over).to.be.true;
  });

  it('waits for a member that does not answer only so long, and says so', async () => {
    const warmUp = create();
    warm('a');
    expect(warmUp.over).to.be.false;
    await clock.advance(9_999);
    expect(warmUp.over).to.be.false;
    await clock.advance(1);
    expect(warmUp.over).to.be.true;
    expect(warnings).to.deep.equal([['b']]);
  });

  it('counts from when it was first asked, not from when it was made', async () => {
    const warmUp = create();
    await clock.advance(60_000);
    expect(warmUp.over).to.be.false;
  });

  it('stays over when a member is lost, or another one joins', () => {
    const warmUp = create();
    warm('a', 'b');
    expect(warmUp.over).to.be.true;
    complete.clear();
    clusters.push({ metadata: { name: 'c' }, spec: {} });
    expect(warmUp.over).to.be.true;
  });
});
