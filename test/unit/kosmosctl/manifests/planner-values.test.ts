import { expect } from 'chai';
import { compileManagerOptions } from '../../../../src/bin/manager-options.js';
import { plannerSettings } from '../../../../src/clusterlink/planner/options.js';
import { DEFAULT_PLANNER_SETTINGS } from '../../../../src/clusterlink/planner/settings.js';
import { renderInstallation } from '../../../../src/kosmosctl/manifests/installation.js';
import {
  PLANNER_DEFAULTS,
  PLANNER_HELP,
  plannerProblems,
  type PlannerValues,
} from '../../../../src/kosmosctl/manifests/planner-values.js';
import { DEFAULT_VALUES, valueProblems, type InstallValues } from '../../../../src/kosmosctl/manifests/values.js';

function withPlanner(changes: PlannerValues, enabled = true): InstallValues {
  const { clusterLink } = DEFAULT_VALUES;
  return { ...DEFAULT_VALUES, clusterLink: { ...clusterLink, enabled, planner: { ...PLANNER_DEFAULTS, ...changes } } };
}

function managerArgs(values: InstallValues): readonly string[] {
  const manifests = renderInstallation(values, { namespace: 'kosmos-system', version: '0.1.0' });
  const deployment = manifests.find(({ kind }) => kind === 'Deployment') as unknown as {
    spec: { template: { spec: { containers: { args: string[] }[] } } };
  };
  return deployment.spec.template.spec.containers[0]?.args ?? [];
}

describe('values of the planner', () => {
  it("are the manager's defaults", () => {
    const args = managerArgs(withPlanner({}));
    const options = compileManagerOptions({ flags: args, environment: {}, readFile: () => '' });
    expect(plannerSettings(options)).to.deep.equal(DEFAULT_PLANNER_SETTINGS);
  });

  it('reach the manager', () => {
    const changes = { bridgeVni: 77, localCidrs: '10.98.0.0/16,fd00:2::/32', mtu: 1400, clampMss: false };
    const args = managerArgs(withPlanner(changes));
    expect(args).to.include.members([
      ...['--link-bridge-vni=77', '--link-local-cidrs=10.98.0.0/16,fd00:2::/32', '--link-mtu=1400'],
      '--no-link-clamp-mss',
    ]);
    const options = compileManagerOptions({ flags: args, environment: {}, readFile: () => '' });
    expect(options).to.include({ linkBridgeVni: 77, linkMtu: 1400, linkClampMss: false });
  });

  it('are left out where no networks are linked', () => {
    expect(managerArgs(withPlanner({ bridgeVni: 77 }, false)).filter((arg) => arg.includes('link-'))).to.deep.equal([]);
  });

  it('each have their help', () => {
    const keys = Object.keys(PLANNER_DEFAULTS);
    expect(keys).to.include.members(['bridgeVni', 'bridgeVni6', 'routeTable', 'probePeers']);
    for (const key of keys) expect(PLANNER_HELP, key).to.have.property(`clusterLink.planner.${key}`);
  });

  it('are refused in words of values', () => {
    expect(plannerProblems({ mtu: 10, localVni6: 0 })).to.deep.equal([
      'clusterLink.planner.localVni6: "0" is not a whole number, 1 to 16777215',
    ]);
    expect(valueProblems(withPlanner({ mtu: 10, routeTable: 254 }))).to.deep.equal([
      'clusterLink.planner.mtu: must be 0, or at least 1350',
      'clusterLink.planner.routeTable: 254 is one that every machine has (253, 254, 255)',
    ]);
    const both = plannerProblems({ localCidrs: '220.1.0.0/16,9480::/16' }).join();
    expect(both).to.equal(
      'clusterLink.planner.bridgeCidrs: 220.0.0.0/8 overlaps 220.1.0.0/16 of clusterLink.planner.localCidrs',
    );
  });

  it('are fine as they are', () => expect(plannerProblems(PLANNER_DEFAULTS)).to.deep.equal([]));
});
