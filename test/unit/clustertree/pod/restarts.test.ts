import { expect } from 'chai';
import type { Container } from '../../../../src/apis/core.js';
import { mayLeaveTerminated } from '../../../../src/clustertree/pod/restarts.js';
import { APP, hostPod } from '../../../support/pods.js';

type Rule = NonNullable<Container['restartPolicyRules']>[number];

const on = (operator: string, values: number[], action = 'Restart'): Rule => ({
  action,
  exitCodes: { operator, values },
});

describe('mayLeaveTerminated', () => {
  const rows: [string, string | undefined, Partial<Container>, number, boolean][] = [
    ['always restarting', 'Always', {}, 0, true],
    ['restarting by default', undefined, {}, 0, true],
    ['never restarting', 'Never', {}, 1, false],
    ['restarting on failure, failed', 'OnFailure', {}, 1, true],
    ['restarting on failure, succeeded', 'OnFailure', {}, 0, false],
    ['a sidecar of a pod that never restarts', 'Never', { restartPolicy: 'Always' }, 0, true],
    ['a container that never restarts of a pod that does', 'Always', { restartPolicy: 'Never' }, 1, false],
    ['a rule for the exit code', 'Never', { restartPolicy: 'Never', restartPolicyRules: [on('In', [42])] }, 42, true],
    [
      'a rule for another exit code',
      'Never',
      { restartPolicy: 'Never', restartPolicyRules: [on('In', [42])] },
      1,
      false,
    ],
    [
      'a rule for all other codes',
      'Never',
      { restartPolicy: 'Never', restartPolicyRules: [on('NotIn', [42])] },
      1,
      true,
    ],
    [
      'a rule for all other codes',
      'Never',
      { restartPolicy: 'Never', restartPolicyRules: [on('NotIn', [42])] },
      42,
      false,
    ],
    ['a rule without a policy of the container', 'Never', { restartPolicyRules: [on('In', [42])] }, 42, false],
    [
      'a rule without exit codes',
      'Never',
      { restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart' }] },
      1,
      false,
    ],
    [
      'a rule of another action',
      'Never',
      { restartPolicy: 'Never', restartPolicyRules: [on('In', [1], 'Else')] },
      1,
      false,
    ],
  ];
  for (const [name, restartPolicy, container, exitCode, allowed] of rows) {
    it(`is ${allowed} for ${name} (pod policy ${restartPolicy ?? 'absent'}, exit code ${exitCode})`, () => {
      const whole = { ...APP, ...container };
      expect(mayLeaveTerminated(hostPod({ spec: { restartPolicy, containers: [whole] } }), whole, exitCode)).to.equal(
        allowed,
      );
    });
  }

  for (const list of ['containers', 'initContainers'] as const) {
    it(`is true for all when one of the ${list} restarts all`, () => {
      const other = { name: 'x', restartPolicyRules: [on('In', [7], 'RestartAllContainers')] };
      const pod = hostPod({ spec: { restartPolicy: 'Never', [list]: [other] } });
      expect(mayLeaveTerminated(pod, APP, 0)).to.be.true;
    });
  }

  it('restarts by default in a pod without spec', () => {
    expect(mayLeaveTerminated({}, APP, 0)).to.be.true;
  });
});
