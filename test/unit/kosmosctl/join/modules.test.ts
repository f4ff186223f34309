import { expect } from 'chai';
import { chooseModules, modulesOf, type ModuleFlags, type Modules } from '../../../../src/kosmosctl/join/modules.js';

const NONE: ModuleFlags = {
  ...{ enableAll: false, enableTree: false, enableLink: false },
  ...{ hasLinkFlags: false, hasLeafModel: false },
};
const ALL = { tree: true, link: true };
const TREE = { tree: true, link: false };
const LINK = { tree: false, link: true };

describe('chooseModules', () => {
  const table: readonly (readonly [string, Partial<ModuleFlags>, Modules | undefined, Modules])[] = [
    ['nothing, where both are installed', {}, ALL, ALL],
    ['nothing, where one is installed', {}, LINK, LINK],
    ['nothing, where nobody knows what is installed', {}, undefined, TREE],
    ['--enable-tree', { enableTree: true }, ALL, TREE],
    ['--enable-link', { enableLink: true }, ALL, LINK],
    ['--enable-link, where nobody knows', { enableLink: true }, undefined, LINK],
    ['--enable-tree --enable-link', { enableTree: true, enableLink: true }, ALL, ALL],
    ['--enable-all', { enableAll: true }, ALL, ALL],
    ['--network-type', { hasLinkFlags: true }, ALL, LINK],
    ['--leaf-model', { hasLeafModel: true }, ALL, TREE],
    ['--network-type --leaf-model', { hasLinkFlags: true, hasLeafModel: true }, ALL, ALL],
    ['--enable-tree --network-type', { enableTree: true, hasLinkFlags: true }, ALL, TREE],
  ];
  for (const [given, flags, installed, chosen] of table) {
    it(`takes ${given} for ${JSON.stringify(chosen)}`, () => {
      expect(chooseModules({ ...NONE, ...flags }, installed)).to.deep.equal(chosen);
    });
  }

  it('refuses what the host does not run', () => {
    expect(() => chooseModules({ ...NONE, enableLink: true }, TREE)).to.throw('run without clusterlink');
    expect(() => chooseModules({ ...NONE, hasLeafModel: true }, LINK)).to.throw('run without clustertree');
  });
});

describe('modulesOf', () => {
  for (const [args, modules] of [
    [['--modules=clustertree,clusterlink'], ALL],
    [['--x', '--modules=clustertree'], TREE],
    [['--modules=clusterlink', '--y'], LINK],
    [[], ALL],
  ] as const) {
    it(`reads ${JSON.stringify(args)}`, () => {
      expect(modulesOf(args)).to.deep.equal(modules);
    });
  }
});
