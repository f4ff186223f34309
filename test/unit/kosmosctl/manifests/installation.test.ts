import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { IMAGE_LAYOUT, IMAGE_USER } from '../../../../hack/image/oci.js';
import { compileManagerOptions } from '../../../../src/bin/manager-options.js';
import { resourceTypeOf } from '../../../../src/kosmosctl/objects.js';
import { renderInstallation, type Manifest } from '../../../../src/kosmosctl/manifests/installation.js';
import { NODE_FLAGS } from '../../../../src/kosmosctl/manifests/manager.js';
import { ALERTS } from '../../../../src/kosmosctl/manifests/monitoring.js';
import { DEFAULT_VALUES, valueProblems, type InstallValues } from '../../../../src/kosmosctl/manifests/values.js';
import { renderMetricsTable } from '../../../../src/runtime/metric-table.js';

const CONTEXT = { namespace: 'kosmos-system', version: '1.2.3' };

interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly securityContext: object;
}

function render(changes: Partial<InstallValues> = {}): readonly Manifest[] {
  return renderInstallation({ ...DEFAULT_VALUES, ...changes }, CONTEXT);
}

function find(manifests: readonly Manifest[], kind: string): Manifest {
  return manifests.find((manifest) => manifest.kind === kind)!;
}

function podSpec(manifests: readonly Manifest[]): { containers: [Container]; securityContext: { runAsUser: number } } {
  const { spec } = find(manifests, 'Deployment') as unknown as { spec: { template: { spec: never } } };
  return spec.template.spec;
}

function rules(
  changes: Partial<InstallValues> = {},
): readonly { resources?: readonly string[]; verbs: readonly string[] }[] {
  return (find(render(changes), 'ClusterRole') as unknown as { rules: [] }).rules;
}

describe('renderInstallation', () => {
  it('gives every object a kind that can be applied, and a name', () => {
    const all = render({ podMonitor: true, alertRules: true });
    for (const manifest of all) {
      expect(resourceTypeOf(manifest).kind).to.equal(manifest.kind);
      expect(manifest.metadata?.name, manifest.kind).to.be.a('string').and.not.empty;
      expect(manifest.metadata?.labels).to.include({ 'app.kubernetes.io/part-of': 'kosmos' });
    }
    expect(new Set(all.map(({ kind, metadata }) => `${kind}/${metadata?.namespace}/${metadata?.name}`)).size).to.equal(
      all.length,
    );
  });

  it('starts the manager with options that it knows', () => {
    const [container] = podSpec(
      render({ hostApiServer: 'api.example:6443', excludeExistingDaemonsets: true }),
    ).containers;
    const options = compileManagerOptions({ flags: container.args, environment: {}, readFile: () => '' });
    expect(options).to.include({
      kubeletService: 'kosmos-system/kosmos-manager',
      kubeletPort: 10250,
      kubeletPortCount: 64,
    });
    expect(options).to.include({ hostApiServer: 'api.example:6443', excludeExistingDaemonsets: true });
  });

  it('starts the program of the image with the flags of its first line', () => {
    const spec = podSpec(render());
    const [firstLine] = readFileSync('src/bin/manager.ts', 'utf8').split('\n');
    expect(firstLine).to.equal(`#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}`);
    const [node, ...rest] = spec.containers[0].command;
    expect(node).to.equal(IMAGE_LAYOUT.node);
    expect(rest.at(-1)).to.equal(`${IMAGE_LAYOUT.application}/dist/src/bin/manager.js`);
    expect(spec.securityContext.runAsUser).to.equal(IMAGE_USER);
    expect(spec.containers[0].securityContext).to.deep.equal({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('takes the version as tag unless there is one', () => {
    const image = (tag: string): string =>
      podSpec(render({ image: { ...DEFAULT_VALUES.image, tag } })).containers[0].image;
    expect([image(''), image('dev')]).to.deep.equal(['kosmos.local/kosmos:1.2.3', 'kosmos.local/kosmos:dev']);
  });

  it('names each port of the kubelet API in the Service', () => {
    const { spec } = find(render(), 'Service') as unknown as { spec: { ports: { port: number; name: string }[] } };
    expect(spec.ports).to.have.lengthOf(64);
    expect(spec.ports[63]).to.include({ name: 'kubelet-10313', port: 10313 });
  });

  it('publishes addresses of pods without a Service', () => {
    const manifests = render({ kubelet: { ...DEFAULT_VALUES.kubelet, service: false } });
    expect(manifests.map(({ kind }) => kind)).not.to.include('Service');
    expect(podSpec(manifests).containers[0].args.join()).not.to.contain('--kubelet-service');
  });

  it('grants what only some settings need with those alone', () => {
    const resources = (changes: Partial<InstallValues> = {}): string =>
      rules(changes)
        .flatMap((rule) => rule.resources ?? [])
        .join();
    const { kubelet } = DEFAULT_VALUES;
    expect(resources()).to.contain('certificatesigningrequests/approval').and.not.contain('daemonsets');
    expect(resources({ kubelet: { ...kubelet, approveCertificates: false } })).not.to.contain('approval');
    expect(resources({ excludeExistingDaemonsets: true })).to.contain('daemonsets');
  });

  it('grants no wildcard in the host, and no right to give rights', () => {
    const words = rules().flatMap(({ resources = [], verbs }) => [...resources, ...verbs]);
    for (const word of ['*', 'escalate', 'bind', 'impersonate', 'deletecollection']) expect(words).not.to.include(word);
  });

  it('has alerts on figures that there are', () => {
    const table = renderMetricsTable();
    for (const { alert, expr } of ALERTS) {
      const [metric = ''] = /kosmos_\w+/.exec(expr) ?? [];
      expect(table, alert).to.contain(`\`${metric}\``);
    }
  });
});

describe('valueProblems', () => {
  const { kubelet, image } = DEFAULT_VALUES;
  const table: readonly (readonly [string, Partial<InstallValues>, readonly string[]])[] = [
    ['the defaults', {}, []],
    ['no manager', { replicas: 0 }, ['replicas: must be a whole number from 1 on']],
    ['half a manager', { replicas: 1.5 }, ['replicas: must be a whole number from 1 on']],
    [
      'more ports than a Service may have',
      { kubelet: { ...kubelet, ports: 101 } },
      ['kubelet.ports: must be a whole number from 1 to 100'],
    ],
    ['many ports without a Service', { kubelet: { ...kubelet, ports: 1000, service: false } }, []],
    [
      'ports past the end',
      { kubelet: { ...kubelet, firstPort: 65500 } },
      ['kubelet.firstPort: the ports must lie between 1 and 65535'],
    ],
    [
      'a tag in the repository',
      { image: { ...image, repository: 'a/b:1' } },
      ['image.repository: "a/b:1" is not registry/repository without a tag'],
    ],
    ['a registry with a port', { image: { ...image, repository: 'localhost:5000/kosmos' } }, []],
    ['a strange tag', { image: { ...image, tag: 'a b' } }, ['image.tag: "a b" is not a tag']],
    ['an address without port', { hostApiServer: 'api.example' }, ['hostApiServer: "api.example" is not host:port']],
    [
      'several things',
      { replicas: -1, hostApiServer: 'x' },
      ['replicas: must be a whole number from 1 on', 'hostApiServer: "x" is not host:port'],
    ],
  ];
  for (const [what, changes, problems] of table) {
    it(`${problems.length === 0 ? 'accepts' : 'refuses'} ${what}`, () => {
      expect(valueProblems({ ...DEFAULT_VALUES, ...changes })).to.deep.equal(problems);
    });
  }
});
