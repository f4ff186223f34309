import type { Command } from 'commander';
import { describeCluster } from '../commands/describe.js';
import { doctor } from '../commands/doctor.js';
import { explain } from '../commands/explain.js';
import type { CliContext } from '../context.js';
import { addCheckCommand } from './check.js';
import { addHostFlags, formatOption, hostChoice, namespaceOption, stringFlag, type Flags } from './options.js';

type DocumentFormat = 'json' | 'yaml' | undefined;
const DOCUMENTS = ['json', 'yaml'];

/** Adds the commands that only look. */
export function addLookingCommands(program: Command, context: CliContext): void {
  const describe = program.command('describe').description('Show everything about something');
  addHostFlags(describe.command('cluster'))
    .description('Show everything about a member')
    .argument('<name>', 'name of the Cluster')
    .action((name: string, flags: Flags) => describeCluster({ host: hostChoice(flags), name }, context));
  const explaining = program.command('explain').description('Say why something is as it is');
  addHostFlags(explaining.command('pod'))
    .description('Say why a pod of the host is where it is, and what both sides know of it')
    .argument('<pod>', 'name of the pod')
    .option('-n, --namespace <name>', 'its namespace', 'default')
    .addOption(formatOption(DOCUMENTS))
    .action((name: string, flags: Flags) =>
      explain(
        {
          host: hostChoice(flags),
          namespace: stringFlag(flags, 'namespace') ?? '',
          name,
          format: flags['output'] as DocumentFormat,
        },
        context,
      ),
    );
  addCheckCommand(program, context);
  addHostFlags(program.command('doctor'))
    .description('Look at everything and say what is wrong; changes nothing')
    .addOption(namespaceOption())
    .addOption(formatOption(DOCUMENTS))
    .action((flags: Flags) =>
      doctor(
        {
          host: hostChoice(flags),
          namespace: stringFlag(flags, 'namespace') ?? '',
          format: flags['output'] as DocumentFormat,
        },
        context,
      ),
    );
}
