import { expect } from 'chai';
import { conformanceRecipes } from '../../../hack/conformance/images.js';
import { EXCEPTIONS, GROUPS, groupsNamed, skipPattern, type SpecGroup } from '../../../hack/conformance/specs.js';

/** The group that runs a spec, if any; not more than one may. */
function runnerOf(name: string): string | undefined {
  const isRun = (group: SpecGroup): boolean =>
    new RegExp(group.focus).test(name) && !new RegExp(skipPattern(group)).test(name);
  const [runner, ...others] = GROUPS.filter(isRun).map((group) => group.name);
  expect(others).to.deep.equal([]);
  return runner;
}

describe('the specs that are run on virtual nodes', () => {
  const specs: Readonly<Record<string, string | undefined>> = {
    '[sig-node] Pods should be updated [NodeConformance] [Conformance]': 'node',
    '[sig-node] Probing container should be restarted with a exec "cat /tmp/health" liveness probe [Conformance]':
      'probes',
    '[sig-storage] ConfigMap updates should be reflected in volume [NodeConformance] [Conformance]': 'storage',
    '[sig-apps] Job should delete a job [Conformance]': 'apps',
    '[sig-apps] Daemon set [Serial] should run and stop simple daemon [Conformance]': undefined,
    '[sig-node] NoExecuteTaintManager Single Pod [Serial] evicts pods [Disruptive] [Conformance]': undefined,
    '[sig-apps] StatefulSet Basic functionality Should recreate evicted statefulset [Conformance]': undefined,
    '[sig-node] Pods Extended Delete Grace Period should be submitted and removed': undefined,
    '[sig-network] Services should serve a basic endpoint from pods [Conformance]': undefined,
    '[sig-node] Security Context when creating containers with AllowPrivilegeEscalation should not allow [Conformance]':
      undefined,
  };
  for (const [name, group] of Object.entries(specs)) {
    it(`${group === undefined ? 'leaves out' : `has, in ${group},`} ${name}`, () => {
      expect(runnerOf(name)).to.equal(group);
    });
  }

  it('says of each exception why', () => {
    for (const { pattern, why } of EXCEPTIONS) {
      expect(() => new RegExp(pattern)).not.to.throw();
      expect(why).to.match(/^\w.{10,}$/);
    }
  });

  it('may be chosen by group', () => {
    expect(groupsNamed([])).to.deep.equal(GROUPS);
    expect(groupsNamed(['apps', 'node']).map(({ name }) => name)).to.deep.equal(['apps', 'node']);
    expect(() => groupsNamed(['pods'])).to.throw('there is no group "pods"; choose from node, probes, storage, apps');
  });
});

describe('images of the specs', () => {
  it('are known by the names that the suite pulls, each once', () => {
    const names = conformanceRecipes('/agnhost', () => Promise.resolve('/sources')).flatMap((recipe) => recipe.names);
    expect(new Set(names).size).to.equal(names.length);
    for (const name of names) expect(name).to.match(/^registry\.k8s\.io\/[\w./-]+:[\w.-]+$/);
    expect(names.join(' ')).to.contain('agnhost:').and.contain('busybox:').and.contain('nginx:');
  });
});
