/** One entry of package-lock.json, as far as it matters here. */
export interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
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

/** What npm would install with `--omit=dev --omit=optional`, without packages that hold nothing but types. */
export function productionPackages(lock: PackageLock): readonly ProductionPackage[] {
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && !entry.dev && !entry.optional && !entry.devOptional)
    .map(([path, { version = '', license = '', integrity = '' }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
      return { path, name, version, license, integrity };
    })
    .filter(({ name }) => !name.startsWith('@types/') && name !== 'undici-types')
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const USELESS = /\.(?:d\.[cm]?ts|ts|map|md|markdown|flow)$/;

/** Whether a file or folder of a package (from the root of the repository) is of use at run time. */
export function isNeededAtRunTime(path: string): boolean {
  return !USELESS.test(path);
}
