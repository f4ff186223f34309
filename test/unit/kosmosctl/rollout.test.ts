import { expect } from 'chai';
import type { Pod } from '../../../src/apis/core.js';
import { podProblem, rolloutPending } from '../../../src/kosmosctl/rollout.js';

describe('rolloutPending', () => {
  const done = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  const table: readonly (readonly [string, object, string | undefined])[] = [
    ['complete', done, undefined],
    ['not seen yet', { ...done, observedGeneration: 1 }, 'the Deployment has not been looked at yet'],
    ['beginning', { ...done, updatedReplicas: 1 }, '1 of 2 managers are of this version'],
    ['ending', { ...done, replicas: 3 }, '1 older managers still run'],
    ['not ready', { ...done, availableReplicas: 0 }, '0 of 2 managers are ready'],
    ['new', {}, 'the Deployment has not been looked at yet'],
  ];
  for (const [what, status, pending] of table) {
    it(`of one that is ${what}`, () => {
      expect(rolloutPending({ metadata: { generation: 2 }, spec: { replicas: 2 }, status })).to.equal(pending);
    });
  }
});

describe('podProblem', () => {
  const waiting = (reason: string, message?: string): Pod => ({
    metadata: { name: 'p', namespace: 'kosmos-system' },
    status: {
      containerStatuses: [
        {
          ...{ name: 'manager', image: '', imageID: '', ready: false, restartCount: 0 },
          state: { waiting: { reason, message } },
        },
      ],
    },
  });

  it('is an image that is not there, with what to do', () => {
    expect(podProblem(waiting('ErrImagePull', 'not found'))).to.deep.equal({
      problem: 'p: ErrImagePull (not found)',
      cure: 'Import the image into the nodes, or name another with --image.',
    });
  });

  it('is a container that crashes, with the command that shows why', () => {
    expect(podProblem(waiting('CrashLoopBackOff'))?.cure).to.contain(
      'kubectl logs -n kosmos-system deployment/kosmos-manager',
    );
  });

  it('is a node that can not be found', () => {
    const conditions = [{ type: 'PodScheduled', status: 'False', message: 'too small' }];
    expect(podProblem({ metadata: { name: 'p' }, status: { conditions } })).to.deep.equal({
      problem: 'p: too small',
      cure: 'Make room, or use --replicas 1.',
    });
  });

  for (const reason of ['ContainerCreating', 'PodInitializing']) {
    it(`is not ${reason}, which passes`, () => {
      expect(podProblem(waiting(reason))).to.equal(undefined);
    });
  }

  it('is nothing for a pod that runs', () => {
    expect(podProblem({ metadata: { name: 'p' }, status: { phase: 'Running' } })).to.equal(undefined);
  });
});
