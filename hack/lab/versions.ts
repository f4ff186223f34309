/** The Kubernetes version that hack/lab/modules/kubernetes/go.mod requires. */
export const PINNED_KUBERNETES = 'v1.36.3';
/** The Go release that is fetched where the machine's own is missing or older. */
export const GO_RELEASE = 'go1.26.8';

const OLDEST_GO = [1, 26] as const;

/** Tells whether the output of `go version` names a Go that can build the lab. */
export function isUsableGo(versionOutput: string): boolean {
  const match = /go(\d+)\.(\d+)/.exec(versionOutput);
  if (match === null) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > OLDEST_GO[0] || (major === OLDEST_GO[0] && minor >= OLDEST_GO[1]);
}

/** `1.36.3` and `v1.36.3` as `v1.36.3`; `1.36` as `v1.36`. */
export function normalizeVersion(version: string): string {
  return version.startsWith('v') ? version : `v${version}`;
}

/**
 * The newest released patch of a minor among the versions that exist.
 * A version with its patch given is returned as it is.
 * @throws Error when nothing of that minor is released.
 */
export function resolvePatch(wanted: string, released: readonly string[]): string {
  const version = normalizeVersion(wanted);
  if (/^v\d+\.\d+\.\d+$/.test(version)) return version;
  const patches = released
    .map((candidate) => /^(v\d+\.\d+)\.(\d+)$/.exec(candidate))
    .filter((match) => match?.[1] === version)
    .map((match) => Number(match?.[2]));
  if (patches.length === 0) throw new Error(`no released version of Kubernetes ${wanted} was found`);
  return `${version}.${Math.max(...patches)}`;
}

/** The version of Kubernetes' staging modules: `v1.36.3` belongs to `v0.36.3`. */
export function stagingVersion(kubernetes: string): string {
  return kubernetes.replace(/^v1\./, 'v0.');
}

/** Major and minor as the programs report them, from `v1.36.3`: `['1', '36']`. */
export function majorMinor(kubernetes: string): [string, string] {
  const [major = '', minor = ''] = kubernetes.replace(/^v/, '').split('.');
  return [major, minor];
}

/**
 * The go.mod that builds another version of Kubernetes: the module's own requirements, and every staging module taken
 * in the version that was released with it (its own replacements point into its source tree and aren't inherited).
 */
export function otherVersionGoMod(kubernetes: string, kubernetesGoMod: string): string {
  const goLine = /^go \d.*$/m.exec(kubernetesGoMod)?.[0] ?? 'go 1.22';
  const defaults = kubernetesGoMod.match(/^godebug [^(]*$|^godebug \([^)]*\)/gm) ?? [];
  const staging = [...kubernetesGoMod.matchAll(/^\s*(?:replace )?(k8s\.io\/\S+) => \.\/staging\//gm)].map(
    (match) => match[1] ?? '',
  );
  const requires = [...kubernetesGoMod.matchAll(/^\s+(\S+) (v\S+)/gm)]
    .filter((match) => !staging.includes(match[1] ?? ''))
    .map((match) => `\t${match[1] ?? ''} ${match[2] ?? ''}`);
  const version = stagingVersion(kubernetes);
  return [
    'module kosmos.local/lab/kubernetes',
    goLine,
    ...defaults,
    `require k8s.io/kubernetes ${kubernetes}`,
    'require (',
    ...requires,
    ')',
    'replace (',
    ...staging.map((name) => `\t${name} => ${name} ${version}`),
    ')',
    '',
  ].join('\n');
}
