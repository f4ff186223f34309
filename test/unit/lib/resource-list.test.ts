import { expect } from 'chai';
import fc from 'fast-check';
import {
  addResources,
  formatResources,
  maxResources,
  NO_RESOURCES,
  parseResources,
  remainingResources,
  RunningSum,
} from '../../../src/lib/resource-list.js';

describe('parseResources and formatResources', () => {
  it('takes an absent list for an empty one', () => {
    expect(parseResources(undefined).size).to.equal(0);
  });

  it('writes canonical amounts sorted by name', () => {
    const resources = parseResources({ memory: '1024Mi', cpu: '1000m', 'nvidia.com/gpu': '2' });
    expect(formatResources(resources)).to.deep.equal({ cpu: '1', memory: '1Gi', 'nvidia.com/gpu': '2' });
    expect(Object.keys(formatResources(resources))).to.deep.equal(['cpu', 'memory', 'nvidia.com/gpu']);
  });

  it('refuses what is no quantity', () => {
    expect(() => parseResources({ cpu: 'many' })).to.throw(SyntaxError);
  });
});

describe('combining resources', () => {
  const left = parseResources({ cpu: '500m', memory: '1Gi' });
  const right = parseResources({ cpu: '700m', pods: '3' });

  it('adds name by name', () => {
    expect(formatResources(addResources(left, right))).to.deep.equal({ cpu: '1200m', memory: '1Gi', pods: '3' });
  });

  it('takes the larger amount name by name', () => {
    expect(formatResources(maxResources(left, right))).to.deep.equal({ cpu: '700m', memory: '1Gi', pods: '3' });
    expect(formatResources(maxResources(right, left))).to.deep.equal({ cpu: '700m', memory: '1Gi', pods: '3' });
  });

  it('gives back the other one when one is empty', () => {
    expect(addResources(left, NO_RESOURCES)).to.equal(left);
    expect(maxResources(NO_RESOURCES, right)).to.equal(right);
  });

  it('never leaves less than nothing, and names only what was there', () => {
    expect(formatResources(remainingResources(left, right))).to.deep.equal({ cpu: '0', memory: '1Gi' });
    expect(formatResources(remainingResources(right, left))).to.deep.equal({ cpu: '200m', pods: '3' });
  });

  it('leaves its arguments alone', () => {
    expect(formatResources(left)).to.deep.equal({ cpu: '500m', memory: '1Gi' });
    expect(formatResources(right)).to.deep.equal({ cpu: '700m', pods: '3' });
  });
});

describe('RunningSum', () => {
  it('keeps the format of what was added', () => {
    const sum = new RunningSum();
    sum.add(parseResources({ memory: '1Gi' }));
    sum.add(parseResources({ memory: '512Mi' }));
    expect(formatResources(sum.value)).to.deep.equal({ memory: '1536Mi' });
  });

  it('holds nothing after all that was added is taken away', () => {
    const lists = fc.array(fc.record({ cpu: fc.nat(5000), memory: fc.nat(5000) }), { maxLength: 20 });
    fc.assert(
      fc.property(lists, (list) => {
        const sum = new RunningSum();
        const all = list.map(({ cpu, memory }) => parseResources({ cpu: `${cpu}m`, memory: `${memory}Mi` }));
        for (const resources of all) sum.add(resources);
        for (const resources of all.reverse()) sum.subtract(resources);
        expect(sum.value.size).to.equal(0);
      }),
    );
  });

  it('may go below zero for a while', () => {
    const sum = new RunningSum();
    sum.subtract(parseResources({ cpu: '2' }));
    expect(formatResources(sum.value)).to.deep.equal({ cpu: '-2' });
    sum.add(parseResources({ cpu: '3' }));
    expect(formatResources(sum.value)).to.deep.equal({ cpu: '1' });
  });
});
