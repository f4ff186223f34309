import { expect } from 'chai';
import type { NodeConfig, NodeConfigSpec, NodeConfigStatus } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { trimLinkNode, type LinkNode } from '../../../../src/clusterlink/cluster/link-node.js';
import { withdrawalStep } from '../../../../src/clusterlink/cluster/withdrawal.js';

const node = (ready: LinkNode['ready']): LinkNode => ({ ...trimLinkNode({}), ready });
const config = (spec: NodeConfigSpec, status?: NodeConfigStatus): NodeConfig => ({
  metadata: { generation: 3 },
  ...{ spec, status },
});

describe('withdrawalStep', () => {
  const routes = [{ cidr: '10.0.0.0/8', gw: '220.0.0.1', dev: 'vx-bridge' }];
  const settings = { routeProtocol: 99 };
  const done = { observedGeneration: 3 };
  const table: readonly (readonly [string, NodeConfig, LinkNode | undefined, string])[] = [
    ['that an agent has applied', config({ routes }, { observedGeneration: 2 }), node('True'), 'clear'],
    ['that lost its plan', config({ settings }, { observedGeneration: 2 }), node('True'), 'clear'],
    ['that its agent has not seen', config({ devices: [] }, { observedGeneration: 2 }), node('True'), 'wait'],
    ['that could not be cleared', config({ devices: [] }, { ...done, errors: ['EBUSY'] }), node('True'), 'wait'],
    ['that is cleared', config({ devices: [] }, done), node('True'), 'delete'],
    ['that was never applied', config({ routes }), node('True'), 'delete'],
    ['of a node that is gone', config({ routes }, done), undefined, 'delete'],
    ['of a node that is silent', config({ routes }, done), node('Unknown'), 'delete'],
  ];
  for (const [what, given, of, kind] of table) {
    it(`says ${kind} for one ${what}`, () => {
      expect(withdrawalStep(given, of).kind).to.equal(kind);
    });
  }

  it('keeps what tells the agent its own routes from others', () => {
    expect(withdrawalStep(config({ devices: [], routes, settings }, done), node('True'))).to.deep.equal({
      ...{ kind: 'clear', spec: { devices: [], routes: null } },
    });
  });
});
