/** One entry of package-lock.json, as far as it matters here. */
export interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  /** Where it can be installed; npm writes one name or a list. */
  readonly os?: string | readonly string[];
  readonly cpu?: string | readonly string[];
}

export interface PackageLock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}

/** A package that the programs need at run time. */
export interface ProductionPackage {
  /** From the root of the repository: `node_modules/…`. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly integrity: string;
}

/** Where the image runs, in npm's words: `x64`, `arm64`. */
export interface Platform {
  readonly cpu: string;
}

/**
 * What npm would install with `--omit=dev` on Linux, without packages that hold nothing but types. Of optional packages,
 * those count that bring the binary of a package that is needed; the root's own are for building.
 */
export function productionPackages(lock: PackageLock, platform: Platform): readonly ProductionPackage[] {
  const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
  const needed = entries.filter(([, entry]) => !entry.dev && !entry.optional && !entry.devOptional);
  const names = new Set(needed.flatMap(([, { optionalDependencies = {} }]) => Object.keys(optionalDependencies)));
  const binaries = entries.filter(
    ([path, entry]) => entry.optional === true && names.has(nameOf(path)) && isFor(entry, platform),
  );
  return [...needed, ...binaries]
    .map(([path, { version = '', license = '', integrity = '' }]) => ({
      ...{ path, name: nameOf(path), version, license, integrity },
    }))
    .filter(({ name }) => !name.startsWith('@types/') && name !== 'undici-types')
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

function isFor({ os = 'linux', cpu }: LockEntry, platform: Platform): boolean {
  return [os].flat().includes('linux') && (cpu === undefined || [cpu].flat().includes(platform.cpu));
}

/** What only readers and compilers want; of koffi also what its binary was built from, and the one for another C library. */
const USELESS = [
  /\.(?:d\.[cm]?ts|ts|map|md|markdown|flow|cc|hh|S|asm)$/,
  /^node_modules\/koffi\/(?:doc|lib|vendor)$/,
  /^node_modules\/@koromix\/[^/]+\/musl_[^/]+$/,
];

/** Whether a file or folder of a package (from the root of the repository) is of use at run time. */
export function isNeededAtRunTime(path: string): boolean {
  return !USELESS.some((pattern) => pattern.test(path));
}
