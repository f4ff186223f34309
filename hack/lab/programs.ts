import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MODULES } from './paths.js';

/** The pinned Go modules under hack/lab/modules. */
export type ModuleName =
  'kubernetes' | 'kwok' | 'coredns' | 'containerd' | 'metrics-server' | 'registry' | 'helm' | 'conformance';

/** A set of programs that come from one module and share a version. */
export interface Suite {
  readonly name: ModuleName | 'etcd';
  readonly module: ModuleName;
  /** The module path whose version the suite has. */
  readonly path: string;
  /** Program name → Go package. */
  readonly programs: Readonly<Record<string, string>>;
  readonly cgo: boolean;
  readonly tags: readonly string[];
}

function kubernetesPrograms(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`]));
}

const containerdPackage = 'github.com/containerd/containerd/v2/cmd';
const containerdPrograms = ['containerd', 'containerd-shim-runc-v2', 'ctr'];

const kubernetes: Suite = {
  name: 'kubernetes',
  module: 'kubernetes',
  path: 'k8s.io/kubernetes',
  programs: kubernetesPrograms(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl']),
  cgo: false,
  tags: [],
};

const lightSuites: readonly Suite[] = [
  kubernetes,
  {
    name: 'etcd',
    module: 'kubernetes',
    path: 'go.etcd.io/etcd/server/v3',
    programs: { etcd: 'go.etcd.io/etcd/server/v3' },
    cgo: false,
    tags: [],
  },
  {
    name: 'kwok',
    module: 'kwok',
    path: 'sigs.k8s.io/kwok',
    programs: { kwok: 'sigs.k8s.io/kwok/cmd/kwok' },
    cgo: false,
    tags: [],
  },
];

const fullSuites: readonly Suite[] = [
  { ...kubernetes, programs: { ...kubernetes.programs, ...kubernetesPrograms(['kubelet', 'kube-proxy']) } },
  ...lightSuites.slice(1),
  {
    name: 'coredns',
    module: 'coredns',
    path: 'github.com/coredns/coredns',
    programs: { coredns: 'github.com/coredns/coredns' },
    cgo: false,
    tags: [],
  },
  {
    name: 'containerd',
    module: 'containerd',
    path: 'github.com/containerd/containerd/v2',
    programs: Object.fromEntries(containerdPrograms.map((name) => [name, `${containerdPackage}/${name}`])),
    cgo: true,
    tags: ['no_btrfs', 'no_zfs', 'no_aufs', 'no_devmapper'],
  },
];

/** What only those labs need that ask for it. */
export const METRICS_SERVER: Suite = {
  name: 'metrics-server',
  module: 'metrics-server',
  path: 'sigs.k8s.io/metrics-server',
  programs: { 'metrics-server': 'sigs.k8s.io/metrics-server/cmd/metrics-server' },
  cgo: false,
  tags: [],
};

/** A registry of images, for tests that carry some. */
export const REGISTRY: Suite = {
  name: 'registry',
  module: 'registry',
  path: 'github.com/distribution/distribution/v3',
  programs: { registry: 'github.com/distribution/distribution/v3/cmd/registry' },
  cgo: false,
  tags: [],
};

/** Helm, to compare what it makes of the chart. */
export const HELM: Suite = {
  name: 'helm',
  module: 'helm',
  path: 'helm.sh/helm/v3',
  programs: { helm: 'helm.sh/helm/v3/cmd/helm' },
  cgo: false,
  tags: [],
};

/** Kubernetes' own end-to-end tests, and the program of most of the pods that they start. */
export const CONFORMANCE: Suite = {
  name: 'conformance',
  module: 'conformance',
  path: 'k8s.io/kubernetes',
  programs: { 'e2e.test': 'k8s.io/kubernetes/test/e2e', agnhost: 'k8s.io/kubernetes/test/images/agnhost' },
  cgo: false,
  tags: [],
};

/** Everything that a light or a full lab runs. */
export function suitesFor(full: boolean): readonly Suite[] {
  return full ? fullSuites : lightSuites;
}

/** The version of a module that a go.mod text requires. @throws Error when it doesn't. */
export function requiredVersion(goMod: string, path: string): string {
  const escaped = path.replace(/[.]/g, '\\.');
  const version = new RegExp(`^\\s*(?:require )?${escaped} (v\\S+)`, 'm').exec(goMod)?.[1];
  if (version === undefined) throw new Error(`the go.mod doesn't require ${path}`);
  return version;
}

/** The version of a suite that the repository pins. */
export function pinnedVersion(suite: Suite): string {
  return requiredVersion(readFileSync(join(MODULES, suite.module, 'go.mod'), 'utf8'), suite.path);
}
