import { Option, type Command } from 'commander';
import { exportService, importService, type ServiceChoice } from '../commands/services.js';
import type { CliContext } from '../context.js';
import { addHostFlags, hostChoice, stringFlag, type Flags } from './options.js';

/** Adds `export` and `import`. */
export function addServiceCommands(program: Command, context: CliContext): void {
  const exporting = program.command('export').description('Offer something to other clusters');
  addServiceFlags(exporting.command('service'))
    .description('Offer a Service of the host to other clusters: makes a ServiceExport')
    .action((service: string, flags: Flags) => exportService(choiceOf(service, flags), context));
  const importing = program.command('import').description('Ask for something of other clusters');
  addServiceFlags(importing.command('service'))
    .description('Ask for a Service of the host in a member: makes a ServiceImport there')
    .addOption(new Option('--to-leafcluster <name>', 'the member').makeOptionMandatory())
    .option('--to-kubeconfig <file>', 'kubeconfig of the member (default: the identity that its managers have)')
    .action((service: string, flags: Flags) =>
      importService(
        {
          ...choiceOf(service, flags),
          cluster: stringFlag(flags, 'toLeafcluster') ?? '',
          member: stringFlag(flags, 'toKubeconfig'),
        },
        context,
      ),
    );
}

function addServiceFlags(command: Command): Command {
  return addHostFlags(command.aliases(['svc', 'services']))
    .argument('<service>', 'name of the Service')
    .option('-n, --namespace <name>', 'its namespace', 'default');
}

function choiceOf(name: string, flags: Flags): ServiceChoice {
  return { host: hostChoice(flags), namespace: stringFlag(flags, 'namespace') ?? '', name };
}
