import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linkerFlags } from '../../../hack/lab/build.js';
import { MODULES } from '../../../hack/lab/paths.js';
import {
  CONFORMANCE,
  HELM,
  METRICS_SERVER,
  pinnedVersion,
  REGISTRY,
  requiredVersion,
  suitesFor,
} from '../../../hack/lab/programs.js';
import { releaseFile } from '../../../hack/lab/releases.js';
import {
  PINNED_KUBERNETES,
  isUsableGo,
  majorMinor,
  normalizeVersion,
  otherVersionGoMod,
  resolvePatch,
  stagingVersion,
} from '../../../hack/lab/versions.js';

describe('choice of a Go', () => {
  const outputs: [string, boolean][] = [
    ['go version go1.26.8 linux/amd64', true],
    ['go version go1.27rc1 linux/amd64', true],
    ['go version go2.0 linux/amd64', true],
    ['go version go1.25.9 linux/amd64', false],
    ['go version go1.19.8 linux/amd64', false],
    ['command not found', false],
  ];
  for (const [output, usable] of outputs) {
    it(`${usable ? 'takes' : 'refuses'} "${output}"`, () => {
      expect(isUsableGo(output)).to.equal(usable);
    });
  }
});

describe('Kubernetes versions', () => {
  it('adds the v that Go modules have', () => {
    expect(['1.36', 'v1.36.3'].map(normalizeVersion)).to.deep.equal(['v1.36', 'v1.36.3']);
  });

  it('finds the newest patch by number, not by text, and no pre-release', () => {
    const released = ['v1.34.2', 'v1.34.10', 'v1.34.9', 'v1.34.11-rc.0', 'v1.35.0'];
    expect(resolvePatch('1.34', released)).to.equal('v1.34.10');
  });

  it('takes a full version as it is, known or not', () => {
    expect(resolvePatch('1.30.1', [])).to.equal('v1.30.1');
  });

  it('says so when nothing of a minor is released', () => {
    expect(() => resolvePatch('1.99', ['v1.36.3'])).to.throw('no released version of Kubernetes 1.99');
  });

  it('knows the version of the staging modules and the parts that programs report', () => {
    expect(stagingVersion('v1.31.14')).to.equal('v0.31.14');
    expect(majorMinor('v1.31.14')).to.deep.equal(['1', '31']);
  });
});

describe('the go.mod for another Kubernetes version', () => {
  const source = [
    'module k8s.io/kubernetes',
    '',
    'go 1.22.0',
    '',
    'godebug default=go1.22',
    '',
    'require (',
    '\tgithub.com/spf13/cobra v1.8.1',
    '\tk8s.io/api v0.0.0',
    '\tk8s.io/klog/v2 v2.130.1 // indirect',
    ')',
    '',
    'replace (',
    '\tk8s.io/api => ./staging/src/k8s.io/api',
    '\tk8s.io/kubelet => ./staging/src/k8s.io/kubelet',
    ')',
  ].join('\n');
  const goMod = otherVersionGoMod('v1.31.14', source);

  it('requires Kubernetes and what it requires', () => {
    expect(requiredVersion(goMod, 'k8s.io/kubernetes')).to.equal('v1.31.14');
    expect(requiredVersion(goMod, 'github.com/spf13/cobra')).to.equal('v1.8.1');
    expect(requiredVersion(goMod, 'k8s.io/klog/v2')).to.equal('v2.130.1');
  });

  it('replaces the staging modules by those of the same release, since their folders are not in the module', () => {
    expect(goMod).to.contain('\tk8s.io/api => k8s.io/api v0.31.14\n');
    expect(goMod).to.contain('\tk8s.io/kubelet => k8s.io/kubelet v0.31.14\n');
    expect(goMod).to.not.contain('./staging').and.not.contain('v0.0.0');
  });

  it('keeps the language version and the compatibility settings of that release', () => {
    expect(goMod.split('\n')).to.include.members(['go 1.22.0', 'godebug default=go1.22']);
  });

  it('keeps a block of settings too', () => {
    const block = otherVersionGoMod('v1.33.1', 'go 1.24.0\n\ngodebug (\n\tdefault=go1.24\n)\n');
    expect(block).to.contain('godebug (\n\tdefault=go1.24\n)');
  });
});

describe('programs of the lab', () => {
  it('pins the Kubernetes version that the code names', () => {
    const kubernetes = suitesFor(false).find((suite) => suite.name === 'kubernetes');
    expect(pinnedVersion(kubernetes!)).to.equal(PINNED_KUBERNETES);
  });

  it('tests with the suite of the Kubernetes that it runs', () => {
    expect(pinnedVersion(CONFORMANCE)).to.equal(PINNED_KUBERNETES);
  });

  it('builds what a light lab needs, and containers only for a full one', () => {
    const names = (full: boolean): string[] => suitesFor(full).flatMap((suite) => Object.keys(suite.programs));
    const light = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl', 'etcd', 'kwok'];
    const more = ['kubelet', 'kube-proxy', 'coredns', 'containerd', 'containerd-shim-runc-v2', 'ctr'];
    expect(names(false)).to.have.members(light);
    expect(names(true)).to.have.members([...light, ...more]);
  });

  for (const suite of [...suitesFor(true), METRICS_SERVER, REGISTRY, HELM, CONFORMANCE]) {
    it(`names every program of ${suite.name} in tools.go, so that "go mod tidy" keeps its requirements`, () => {
      const tools = readFileSync(join(MODULES, suite.module, 'tools.go'), 'utf8');
      for (const target of Object.values(suite.programs)) expect(tools).to.contain(`"${target}"`);
    });
  }

  it('says that metrics-server can only be built', () => {
    expect(pinnedVersion(METRICS_SERVER)).to.equal('v0.9.0');
    expect(() => releaseFile('metrics-server', 'v0.9.0', 'metrics-server', 'amd64')).to.throw('images and manifests');
  });

  for (const suite of suitesFor(true)) {
    it(`has an official release file of each program of ${suite.name} to fall back on`, () => {
      const version = pinnedVersion(suite);
      for (const name of Object.keys(suite.programs)) {
        const { url, member } = releaseFile(suite.name, version, name, 'amd64');
        expect(url)
          .to.match(/^https:\/\//)
          .and.contain(version.slice(1))
          .and.contain('amd64');
        if (/gz$/.test(url)) expect(member).to.match(new RegExp(`${name}$`));
      }
    });
  }

  it('makes Kubernetes programs report their version', () => {
    const [kubernetes, etcd] = suitesFor(false);
    expect(linkerFlags(kubernetes!, 'v1.31.14')).to.contain('version.gitVersion=v1.31.14').and.contain('gitMinor=31');
    expect(linkerFlags(etcd!, 'v3.6.8')).to.equal('-s -w');
  });
});
