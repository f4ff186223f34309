import type { Command } from 'commander';
import { getClusterNodes } from '../commands/get-cluster-nodes.js';
import { getNodeConfigs } from '../commands/get-node-configs.js';
import { getClusters, getNodes, type GetOptions } from '../commands/get.js';
import type { CliContext } from '../context.js';
import type { Format } from '../output/format.js';
import { addHostFlags, formatOption, hostChoice, stringFlag, type Flags } from './options.js';

interface Listed {
  readonly plural: string;
  readonly singular: string;
  readonly description: string;
  /** They belong to a member each, and can be asked for by it. */
  readonly ofCluster: boolean;
  readonly print: (options: GetOptions, context: CliContext) => Promise<void>;
}

const KINDS: readonly Listed[] = [
  {
    ...{ plural: 'clusters', singular: 'cluster', description: 'List the members' },
    ...{ ofCluster: false, print: getClusters },
  },
  {
    ...{ plural: 'nodes', singular: 'node', description: 'List the virtual nodes' },
    ...{ ofCluster: true, print: getNodes },
  },
  {
    ...{ plural: 'clusternodes', singular: 'clusternode', description: 'List the nodes of linked clusters' },
    ...{ ofCluster: true, print: getClusterNodes },
  },
  {
    ...{ plural: 'nodeconfigs', singular: 'nodeconfig' },
    description: 'List what is wanted of the network of each node, and how far its agent is; asks the linked clusters',
    ...{ ofCluster: true, print: getNodeConfigs },
  },
];

/** Adds `get` with all that it lists. */
export function addGetCommands(program: Command, context: CliContext): void {
  const get = program.command('get').description('List members, their virtual nodes, and their networks');
  for (const { plural, singular, description, ofCluster, print } of KINDS) {
    const command = addHostFlags(get.command(plural).alias(singular))
      .description(description)
      .argument('[name]', 'only this one');
    if (ofCluster) command.option('--cluster <name>', 'only those of this member');
    command.addOption(formatOption()).action((name: string | undefined, flags: Flags) => {
      const format = flags['output'] as Format | undefined;
      return print({ host: hostChoice(flags), name, format, cluster: stringFlag(flags, 'cluster') }, context);
    });
  }
}
