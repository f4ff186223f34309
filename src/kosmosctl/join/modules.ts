import { usageError } from '../failure.js';

/** Parts of the product that a member takes part in. */
export interface Modules {
  readonly tree: boolean;
  readonly link: boolean;
}

/** What the flags of `join` say about them. */
export interface ModuleFlags {
  readonly enableAll: boolean;
  readonly enableTree: boolean;
  readonly enableLink: boolean;
  /** One of the flags was given that mean something for the network alone. */
  readonly hasLinkFlags: boolean;
  readonly hasLeafModel: boolean;
}

/**
 * Which parts are wanted, as Kosmos decides it: those that are named; else those that other flags are about; else all
 * that the installation in the host has.
 *
 * @param installed - undefined when nobody knows, as with a manager that runs elsewhere
 */
export function chooseModules(flags: ModuleFlags, installed: Modules | undefined): Modules {
  const named = { tree: flags.enableAll || flags.enableTree, link: flags.enableAll || flags.enableLink };
  const meant = { tree: flags.hasLeafModel, link: flags.hasLinkFlags };
  const chosen = [named, meant].find(({ tree, link }) => tree || link) ?? installed ?? { tree: true, link: false };
  if (installed !== undefined) refuseMissing(chosen, installed);
  return chosen;
}

function refuseMissing(chosen: Modules, installed: Modules): void {
  const missing = [
    ...(chosen.tree && !installed.tree ? ['clustertree'] : []),
    ...(chosen.link && !installed.link ? ['clusterlink'] : []),
  ];
  if (missing.length === 0) return;
  throw usageError(
    `the managers of the host run without ${missing.join(' and ')}`,
    'Run "kosmosctl install --module all" first.',
  );
}

/** What the arguments of a manager's container say about the parts that it runs; both unless told otherwise. */
export function modulesOf(args: readonly string[]): Modules {
  const flag = args.find((arg) => arg.startsWith('--modules='));
  if (flag === undefined) return { tree: true, link: true };
  const names = flag.slice('--modules='.length).split(',');
  return { tree: names.includes('clustertree'), link: names.includes('clusterlink') };
}
