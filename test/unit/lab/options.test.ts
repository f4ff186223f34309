import { expect } from 'chai';
import { clusterNames, compileLabOptions, type LabOptions } from '../../../hack/lab/options.js';
import { PINNED_KUBERNETES } from '../../../hack/lab/versions.js';

describe('options of a lab', () => {
  it('has defaults for everything', () => {
    expect(compileLabOptions({})).to.deep.equal({
      instance: 'default',
      members: 2,
      nodes: 3,
      hostNodes: 0,
      full: false,
      family: 'ipv4',
      sameCidrs: false,
      kubeVersion: PINNED_KUBERNETES,
      kubeVersions: {},
      extraArgs: {},
    });
  });

  it('has one real node per cluster with full clusters, the host included', () => {
    expect(compileLabOptions({ full: true })).to.include({ nodes: 1, hostNodes: 1 });
  });

  it('gives a full host as many nodes as the members unless told otherwise', () => {
    expect(compileLabOptions({ full: true, nodes: 3 })).to.include({ nodes: 3, hostNodes: 3 });
    expect(compileLabOptions({ full: true, nodes: 3, hostNodes: 1 })).to.include({ nodes: 3, hostNodes: 1 });
  });

  it('takes undefined for an option that is not given', () => {
    const options = { members: undefined, kubeVersion: undefined, hostNodes: undefined } as unknown as LabOptions;
    expect(compileLabOptions(options)).to.deep.equal(compileLabOptions({}));
  });

  it('does not keep the log function, because the result is written to a file', () => {
    expect(compileLabOptions({ log: () => undefined })).to.not.have.property('log');
  });

  const bad: [string, LabOptions, string][] = [
    ['a negative number of members', { members: -1 }, 'members must be a whole number from 0 to 29, not -1'],
    ['a fraction of a member', { members: 1.5 }, 'members must be a whole number'],
    ['too many members', { members: 30 }, 'from 0 to 29'],
    ['a full cluster without nodes', { full: true, nodes: 0 }, 'nodes must be a whole number from 1 to 16'],
    ['too many real nodes', { full: true, nodes: 17 }, 'from 1 to 16, not 17'],
    ['an empty name', { instance: '' }, 'instance must be 1 to 40'],
    ['a name with a slash', { instance: '../x' }, 'instance must be 1 to 40'],
    ['a name that is too long', { instance: 'a'.repeat(41) }, 'instance must be 1 to 40'],
    ['a name that a cluster has', { instance: 'member12' }, 'can\'t be called "member12"'],
    ['a name that a folder has', { instance: 'run' }, 'can\'t be called "run"'],
    ['an unknown family', { family: 'ipx' as 'ipv4' }, 'family must be ipv4, ipv6 or dual'],
    ['a version that is none', { kubeVersion: 'latest' }, 'kubeVersion must look like 1.36'],
    ['a version that could be a flag', { kubeVersions: { host: '-x' } }, 'not "-x"'],
    ['a version for an unknown cluster', { members: 1, kubeVersions: { member2: '1.34' } }, 'member2'],
  ];
  for (const [name, options, message] of bad) {
    it(`refuses ${name}`, () => {
      expect(() => compileLabOptions(options)).to.throw(message);
    });
  }

  it('lists all problems at once', () => {
    expect(() => compileLabOptions({ members: -1, nodes: -1, instance: 'A' })).to.throw(
      /members must be.*; nodes must be.*; instance must be/,
    );
  });
});

describe('names of the clusters', () => {
  it('starts with the host', () => {
    expect(clusterNames(0)).to.deep.equal(['host']);
    expect(clusterNames(2)).to.deep.equal(['host', 'member1', 'member2']);
  });
});
