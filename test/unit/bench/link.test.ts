import { expect } from 'chai';
import { federation, nodeAt } from '../../../hack/bench/link/federation.js';
import { parseLinkOptions } from '../../../hack/bench/link/options.js';
import { renderFigures } from '../../../hack/bench/link/part.js';
import { LINK_PARTS } from '../../../hack/bench/link/parts.js';
import { plannerPart } from '../../../hack/bench/link/planner.js';
import { planNetwork } from '../../../src/clusterlink/planner/plan.js';

describe('options of the benchmark of ClusterLink', () => {
  it('have defaults that measure everything', () => {
    expect(parseLinkOptions([], ['planner'])).to.deep.equal({
      ...{ parts: [], repeat: 5, clusters: 100, nodes: 100, json: false },
    });
  });

  it('may ask for some parts', () => {
    expect(parseLinkOptions(['--parts', 'b,a', '--json'], ['a', 'b'])).to.deep.include({
      parts: ['b', 'a'],
      json: true,
    });
  });
});

describe('the benchmark of ClusterLink', () => {
  it('has parts of different names', () => {
    const names = LINK_PARTS.map(({ name }) => name);
    expect(names).to.include('planner');
    expect(new Set(names).size).to.equal(names.length);
  });

  it('prints a line for each figure', () => {
    expect(renderFigures({ planner: { fullMs: 1.5, sizes: { node: 2 } }, x: 3 })).to.equal(
      'planner.fullMs      1.5\nplanner.sizes.node  2\nx                   3',
    );
  });

  it('plans for clusters without any problem', () => {
    const { clusters, nodes } = federation(12, 11, 'gateway');
    const { configs, problems } = planNetwork({ clusters, clusterNodes: nodes });
    expect(configs.size).to.equal(132);
    expect(problems).to.deep.equal([]);
    expect(nodeAt(1, 0).spec.ip).to.equal('172.16.2.1');
  });

  it('measures the planner', async () => {
    const options = { parts: [], repeat: 2, clusters: 4, nodes: 6, json: true };
    const lines: string[] = [];
    const figures = await plannerPart.run(options, (line) => lines.push(line));
    expect(figures['fullMs']).to.be.greaterThan(0);
    expect(figures['oneNodeMs']).to.be.greaterThan(0);
    expect(figures).to.have.nested.property('configBytes.gateway').that.is.greaterThan(1000);
    expect(lines).to.have.lengthOf(2);
  });
});
