import type { Command } from 'commander';
import { adopt } from '../commands/adopt.js';
import type { CliContext } from '../context.js';
import {
  addHostFlags,
  booleanFlag,
  formatOption,
  hostChoice,
  namespaceOption,
  stringFlag,
  waitOption,
  type Flags,
} from './options.js';

const ADOPT_EXAMPLES = `
Stops the controllers of Kosmos in Go and marks what they have made, so that the managers of this version go on with it.
No pod is restarted and nothing is deleted. Have the image where the host's nodes find it before you begin, and install
at once afterwards: until then nobody looks after virtual nodes.

Examples:
  # See what is there, what would be done, and what can't be
  kosmosctl adopt --dry-run

  # Do it, and take kubeconfigs of members out of Clusters
  kosmosctl adopt --move-kubeconfigs && kosmosctl install
`;

/** Adds `adopt`. */
export function addAdoptCommand(program: Command, context: CliContext): void {
  addHostFlags(program.command('adopt'))
    .description('Take over an existing Kosmos in Go with its members and running pods')
    .addOption(namespaceOption())
    .option('--move-kubeconfigs', 'keep kubeconfigs of members in Secrets, instead of in Clusters that many may read')
    .option('--dry-run', 'only show what is there and what would be done')
    .addOption(formatOption(['json', 'yaml']))
    .addOption(waitOption('how long to wait for each component to end', 120))
    .option('-y, --yes', 'stop components and adopt without asking')
    .addHelpText('after', ADOPT_EXAMPLES)
    .action((flags: Flags) =>
      adopt(
        {
          host: hostChoice(flags),
          namespace: stringFlag(flags, 'namespace') ?? '',
          moveKubeconfigs: booleanFlag(flags, 'moveKubeconfigs'),
          dryRun: booleanFlag(flags, 'dryRun'),
          format: flags['output'] as 'json' | 'yaml' | undefined,
          waitMs: flags['waitTime'] as number,
          yes: booleanFlag(flags, 'yes'),
        },
        context,
      ),
    );
}
