import { Option, type Command } from 'commander';
import { install, type InstallOptions } from '../commands/install.js';
import { uninstall } from '../commands/uninstall.js';
import type { CliContext } from '../context.js';
import { usageError } from '../failure.js';
import { splitImage } from '../manifests/image-name.js';
import type { InstallValues } from '../manifests/values.js';
import { addLinkFlags, givenLinkOptions } from './link-flags.js';
import {
  addHostFlags,
  booleanFlag,
  collect,
  formatOption,
  hostChoice,
  namespaceOption,
  pullSecretOption,
  stringFlag,
  waitOption,
  type Flags,
} from './options.js';
import { mergeValues } from './values.js';

const INSTALL_EXAMPLES = `
Examples:
  # Install into the cluster of the current context
  kosmosctl install

  # From a private registry, with a single manager
  kosmosctl install --image registry.example.com/kosmos:0.1.0 --replicas 1

  # Let members see an address range of the host as another one, where both have the same
  kosmosctl install --global-cidr 10.244.0.0/16=242.0.0.0/16

  # See what would be applied
  kosmosctl install --dry-run -o yaml
`;

/** Adds `install` and `uninstall`. */
export function addInstallCommands(program: Command, context: CliContext): void {
  addLinkFlags(addHostFlags(program.command('install')))
    .description('Install Kosmos in the host cluster, or update an installation')
    .addOption(namespaceOption())
    .addOption(
      new Option('-m, --module <name>', 'part of Kosmos to install (default: what the values say, else all)').choices([
        ...['all', 'clustertree', 'clusterlink'],
      ]),
    )
    .option('--image <name>', 'image of managers and agents, as registry/repository:tag')
    .option('--private-image-registry <registry>', 'registry and path that holds the image kosmos, as Kosmos names it')
    .option('--version <tag>', 'tag of the image (default: the version of this program)')
    .addOption(pullSecretOption('Secret of the namespace with which nodes of the host pull it'))
    .option('--replicas <number>', 'how many managers', Number)
    .option('-f, --values <file>', 'YAML file with values of the chart')
    .option('--set <path=value>', 'one value of the chart; may be given several times', collect, [])
    .option('--dry-run', 'only print what would be applied')
    .addOption(formatOption(['yaml', 'json']).default('yaml'))
    .addOption(waitOption('how long to wait for the managers, 0 for not at all', 120))
    .addHelpText('after', INSTALL_EXAMPLES)
    .action(async (flags: Flags) => {
      await install(installOptionsOf(flags, context), context);
    });
  addHostFlags(program.command('uninstall'))
    .description('Remove Kosmos from the host cluster')
    .addOption(namespaceOption())
    .option('--all', 'take out members that are still joined')
    .option('--force', "don't wait for members, managers or agents that don't answer")
    .option('--verify', 'look in the end whether anything is left')
    .addOption(waitOption('how long to wait for each thing to go', 300))
    .action(async (flags: Flags) => {
      await uninstall(
        {
          host: hostChoice(flags),
          namespace: stringFlag(flags, 'namespace') ?? '',
          all: booleanFlag(flags, 'all'),
          force: booleanFlag(flags, 'force'),
          verify: booleanFlag(flags, 'verify'),
          waitMs: flags['waitTime'] as number,
        },
        context,
      );
    });
}

/** What the flags of `install` say; `upgrade` has the same. */
export function installOptionsOf(flags: Flags, context: CliContext): InstallOptions {
  return {
    host: hostChoice(flags),
    namespace: stringFlag(flags, 'namespace') ?? '',
    values: valuesOf(flags, context),
    dryRun: booleanFlag(flags, 'dryRun'),
    format: flags['output'] as 'yaml' | 'json',
    waitMs: flags['waitTime'] as number,
  };
}

/** Single flags win over `--set`, and that over the file. */
function valuesOf(flags: Flags, context: CliContext): InstallValues {
  const path = stringFlag(flags, 'values');
  const values = mergeValues(
    path === undefined ? undefined : readValues(path, context),
    flags['set'] as readonly string[],
  );
  const replicas = flags['replicas'] as number | undefined;
  const image = imageOf(values.image, flags);
  return { ...values, image, ...(replicas !== undefined && { replicas }), ...modulesOf(values, flags) };
}

function modulesOf({ clusterTree, clusterLink }: InstallValues, flags: Flags): Partial<InstallValues> {
  const module = stringFlag(flags, 'module');
  const isOn = (name: string, byValues: boolean): boolean =>
    module === undefined ? byValues : module === 'all' || module === name;
  const options = { ...clusterLink.options, ...givenLinkOptions(flags) };
  return {
    clusterTree: { enabled: isOn('clustertree', clusterTree.enabled) },
    clusterLink: { ...clusterLink, enabled: isOn('clusterlink', clusterLink.enabled), options },
  };
}

function readValues(path: string, context: CliContext): string {
  try {
    return context.readFile(path);
  } catch (error) {
    throw usageError(
      `the file of values ${path} can't be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
    );
  }
}

function imageOf(image: InstallValues['image'], flags: Flags): InstallValues['image'] {
  const [whole, registry, tag] = ['image', 'privateImageRegistry', 'version'].map((name) => stringFlag(flags, name));
  if (whole !== undefined && registry !== undefined) {
    throw usageError('--image and --private-image-registry exclude each other');
  }
  const repository = registry === undefined ? image.repository : `${registry.replace(/\/$/, '')}/kosmos`;
  const named = whole === undefined ? { ...image, repository } : { ...image, ...splitImage(whole) };
  const pullSecrets = flags['imagePullSecret'] as readonly string[] | undefined;
  return {
    ...named,
    ...(tag !== undefined && { tag }),
    ...(pullSecrets !== undefined && { pullSecrets: pullSecrets.map((name) => ({ name })) }),
  };
}
