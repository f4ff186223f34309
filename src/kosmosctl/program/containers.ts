import { InvalidArgumentError, Option, type Command } from 'commander';
import { exec } from '../commands/exec.js';
import { logs } from '../commands/logs.js';
import type { CliContext } from '../context.js';
import { usageError } from '../failure.js';
import type { ContainerChoice } from '../pod-target.js';
import {
  addHostFlags,
  booleanFlag,
  hostChoice,
  namespaceOption,
  parseWait,
  stringFlag,
  type Flags,
} from './options.js';

const EXEC_EXAMPLES = `
Examples:
  # A shell in a pod of the host, wherever it runs
  kosmosctl exec -it web-0 -n shop -- sh

  # The same pod by way of its member, for instance when the managers are away
  kosmosctl exec web-0 -n shop --cluster member1 -- cat /etc/hostname
`;

/** Adds `logs` and `exec`. */
export function addContainerCommands(program: Command, context: CliContext): void {
  addTargetFlags(program.command('logs'))
    .description('Print the log of a container, in the host or in a member')
    .argument('<pod>', 'name of the pod')
    .option('-f, --follow', 'go on with what is written from now on')
    .option('-p, --previous', 'that of the container that ran before')
    .option('--timestamps', 'with the time of each line')
    .addOption(new Option('--tail <lines>', 'only the last lines').argParser(parseCount))
    .addOption(
      new Option('--since <time>', 'only what is younger: seconds, or a duration such as 5m').argParser(parseWait),
    )
    .action((pod: string, flags: Flags) => {
      const sinceMs = flags['since'] as number | undefined;
      return logs(
        {
          ...choiceOf(pod, flags),
          follow: booleanFlag(flags, 'follow'),
          previous: booleanFlag(flags, 'previous'),
          timestamps: booleanFlag(flags, 'timestamps'),
          tail: flags['tail'] as number | undefined,
          sinceSeconds: sinceMs === undefined ? undefined : Math.max(1, Math.ceil(sinceMs / 1000)),
        },
        context,
      );
    });
  addTargetFlags(program.command('exec'))
    .description('Run a command in a container, in the host or in a member; ends with its exit code')
    .argument('<pod>', 'name of the pod')
    .argument('[command...]', 'the command with its arguments, after --')
    .option('-i, --stdin', 'pass the standard input on')
    .option('-t, --tty', 'on a terminal there')
    .addHelpText('after', EXEC_EXAMPLES)
    .action((pod: string, command: readonly string[], flags: Flags) => {
      if (command.length === 0) throw usageError('which command is to run?', 'Add it after --.');
      const more = { command, stdin: booleanFlag(flags, 'stdin'), tty: booleanFlag(flags, 'tty') };
      return exec({ ...choiceOf(pod, flags), ...more }, context);
    });
}

function addTargetFlags(command: Command): Command {
  const namespace = namespaceOption();
  namespace.description = 'namespace of the pod';
  return addHostFlags(command)
    .addOption(namespace)
    .option('-c, --container <name>', 'container of the pod (default: the one that its annotation names, or its first)')
    .option('--cluster <name>', 'ask this member, as its managers do, instead of the host');
}

function choiceOf(pod: string, flags: Flags): ContainerChoice {
  return {
    host: hostChoice(flags),
    cluster: stringFlag(flags, 'cluster'),
    namespace: stringFlag(flags, 'namespace') ?? '',
    pod,
    container: stringFlag(flags, 'container'),
  };
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is no number of lines.');
  return Number(text);
}
