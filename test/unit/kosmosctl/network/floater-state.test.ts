import { expect } from 'chai';
import type { Pod } from '../../../../src/apis/core.js';
import { floaterState } from '../../../../src/kosmosctl/network/floater-state.js';

function floater(status: object, node = 'n1'): Pod {
  return {
    metadata: { namespace: 'kosmos-check', name: `floater-of-${node}`, annotations: { 'kosmos.io/check-node': node } },
    status: status,
  };
}

const waiting = (reason: string, message?: string): object => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'kosmos-floater', state: { waiting: { reason, message } } }],
});

describe('the floater of a node', () => {
  it('is there once it is ready', () => {
    const podIPs = [{ ip: '10.0.0.2' }, { ip: 'fd00::2' }];
    const ready = floater({ phase: 'Running', podIPs, conditions: [{ type: 'Ready', status: 'True' }] });
    expect(floaterState('n1', [floater({}, 'n2'), ready]).ips).to.deep.equal(['10.0.0.2', 'fd00::2']);
  });

  it('is waited for while it starts', () => {
    for (const status of [{}, { phase: 'Pending' }, { phase: 'Running' }, waiting('ContainerCreating')]) {
      const state = floaterState('n1', [floater(status)]);
      expect(state).to.include({ ips: undefined, final: false, problem: 'its floater did not start in time' });
      expect(state.cure).to.contain('kosmos-check/floater-of-n1').and.contain('--pod-wait-time');
    }
  });

  it('may still come when its image could not be pulled once', () => {
    const state = floaterState('n1', [floater(waiting('ErrImagePull', 'no such host'))]);
    expect(state).to.include({ final: false, problem: 'floater-of-n1: ErrImagePull (no such host)' });
    expect(state.cure).to.equal('Import the image into the nodes, or name another with --image.');
  });

  for (const status of [waiting('ErrImageNeverPull'), waiting('InvalidImageName')]) {
    it(`won't come by waiting: ${JSON.stringify(status)}`, () => {
      expect(floaterState('n1', [floater(status)]).final).to.equal(true);
    });
  }

  it('has ended when the kubelet refuses it', () => {
    const state = floaterState('n1', [
      floater({ phase: 'Failed', reason: 'OutOfcpu', message: 'Node has no CPU left' }),
    ]);
    expect(state).to.include({ final: true, problem: 'its floater has ended: Node has no CPU left' });
    expect(floaterState('n1', [floater({ phase: 'Failed', reason: 'Evicted' })]).problem).to.contain('Evicted');
  });

  it('is gone when somebody has deleted it', () => {
    expect(floaterState('n1', [])).to.include({ final: true, problem: 'its floater is gone' });
  });
});
