import { expect } from 'chai';
import { parseOptions } from '../../../hack/bench/options.js';

describe('options of the benchmark', () => {
  it('have defaults that measure everything once', () => {
    expect(parseOptions([])).to.deep.equal({
      pods: 1_000,
      members: 2,
      phases: ['native', 'floor', 'virtual', 'paced'],
      repeat: 1,
      config: false,
      token: false,
      rate: 5,
      seconds: 60,
      json: false,
      instance: 'bench',
      keep: false,
      managerNodeArgs: [],
      inside: false,
    });
  });

  it('are read from the command line', () => {
    const options = parseOptions(['--pods', '10000', '--members', '4', '--json', '--repeat', '3']);
    expect(options).to.include({ pods: 10_000, members: 4, json: true, repeat: 3 });
    expect(parseOptions(['--config', '--token'])).to.include({ config: true, token: true });
  });

  it('run phases in the one order that makes sense', () => {
    expect(parseOptions(['--phases', 'paced,virtual,floor']).phases).to.deep.equal(['floor', 'virtual', 'paced']);
  });

  it('pass several flags on to the node of the manager', () => {
    expect(parseOptions(['--manager-node-args', '--cpu-prof  --cpu-prof-dir=/x']).managerNodeArgs).to.deep.equal([
      '--cpu-prof',
      '--cpu-prof-dir=/x',
    ]);
  });
});
