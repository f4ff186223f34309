import { expect } from 'chai';
import {
  podSelector,
  runs,
  stopPatch,
  type Component,
  type Workload,
} from '../../../../src/kosmosctl/adopt/components.js';
import { daemonSets, deployments } from '../../../../src/kosmosctl/objects.js';

const DEPLOYMENT: Component = { type: deployments, name: 'clustertree-cluster-manager' };
const DAEMON_SET: Component = { type: daemonSets, name: 'clusterlink-agent' };
const PARKED = { template: { spec: { nodeSelector: { 'kosmos.io/stopped': 'true' } } } };

describe('runs', () => {
  const ROWS: readonly (readonly [when: string, component: Component, workload: Workload, expected: boolean])[] = [
    ['a Deployment wants pods', DEPLOYMENT, { spec: { replicas: 2 } }, true],
    ['it wants the one pod of the default', DEPLOYMENT, { spec: {} }, true],
    ['it wants none and has some', DEPLOYMENT, { spec: { replicas: 0 }, status: { replicas: 1 } }, true],
    ['it wants none and has none', DEPLOYMENT, { spec: { replicas: 0 }, status: { replicas: 0 } }, false],
    ['a DaemonSet is there', DAEMON_SET, { spec: { template: { spec: {} } } }, true],
    [
      'it asks for nodes that are not there, and has pods',
      DAEMON_SET,
      { spec: PARKED, status: { currentNumberScheduled: 1 } },
      true,
    ],
    [
      'it asks for nodes that are not there',
      DAEMON_SET,
      { spec: PARKED, status: { desiredNumberScheduled: 0 } },
      false,
    ],
  ];
  for (const [when, component, workload, expected] of ROWS) {
    it(`is ${expected} when ${when}`, () => expect(runs(component, workload)).to.equal(expected));
  }
});

describe('stopPatch', () => {
  it('scales a Deployment down and notes how many pods it had', () => {
    expect(stopPatch(DEPLOYMENT, { metadata: { uid: 'u' }, spec: { replicas: 2 } })).to.deep.equal({
      metadata: { uid: 'u', annotations: { 'kosmos.io/former-replicas': '2' } },
      spec: { replicas: 0 },
    });
  });

  it('lets a DaemonSet ask for nodes that there are not', () => {
    const patch = stopPatch(DAEMON_SET, { metadata: { uid: 'u' }, spec: { template: { spec: {} } } });
    expect(patch).to.deep.equal({ metadata: { uid: 'u' }, spec: PARKED });
  });

  it('has nothing to do where that was done, so that the first note stays', () => {
    expect(stopPatch(DEPLOYMENT, { spec: { replicas: 0 } })).to.equal(undefined);
    expect(stopPatch(DAEMON_SET, { spec: PARKED })).to.equal(undefined);
  });
});

describe('podSelector', () => {
  it('selects by all labels', () => {
    expect(podSelector({ spec: { selector: { matchLabels: { app: 'a', part: 'b' } } } })).to.equal('app=a,part=b');
  });
});
