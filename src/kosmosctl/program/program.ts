import { Argument, Command, CommanderError } from 'commander';
import { version } from '../commands/version.js';
import { candidates } from '../completion/candidates.js';
import { completionScript, SHELLS, type Shell } from '../completion/scripts.js';
import { clusterNames } from '../completion/names.js';
import type { CliContext } from '../context.js';
import { explainError } from '../explain-error.js';
import { CliError, EXIT, type ExitCode } from '../failure.js';
import { addAdoptCommand } from './adopt.js';
import { addContainerCommands } from './containers.js';
import { addImageCommands } from './image.js';
import { addInstallCommands } from './install.js';
import { addServiceCommands } from './services.js';
import { addUpgradeCommand } from './upgrade.js';
import { addMemberCommands } from './members.js';
import { addGetCommands } from './get.js';
import { addLookingCommands } from './looking.js';
import {
  addHostFlags,
  booleanFlag,
  formatOption,
  hostChoice,
  namespaceOption,
  stringFlag,
  type Flags,
} from './options.js';

const DESCRIPTION = `Kosmos joins Kubernetes clusters into one: members appear in a host cluster as virtual nodes.

Begin with "kosmosctl install" and "kosmosctl join cluster".`;

/** The whole command line. */
export function createProgram(context: CliContext): Command {
  const { terminal } = context;
  const program = new Command('kosmosctl')
    .description(DESCRIPTION)
    .option('-v, --verbose', 'with errors, also print where in the program they come from')
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      getOutHelpWidth: () => HELP_WIDTH,
      getErrHelpWidth: () => HELP_WIDTH,
    })
    .exitOverride();
  addInstallCommands(program, context);
  addUpgradeCommand(program, context);
  addImageCommands(program, context);
  addAdoptCommand(program, context);
  addMemberCommands(program, context);
  addServiceCommands(program, context);
  addGetCommands(program, context);
  addLookingCommands(program, context);
  addContainerCommands(program, context);
  addVersion(program, context);
  addCompletion(program, context);
  inherit(program);
  return program;
}

const HELP_WIDTH = 100;

/** Runs one command line and returns the exit code. Errors are printed, never thrown. */
export async function runCli(args: readonly string[], context: CliContext): Promise<ExitCode> {
  const program = createProgram(context);
  try {
    if (args[0] === COMPLETE) await complete(program, args.slice(1), context);
    else await program.parseAsync([...args], { from: 'user' });
    return EXIT.done;
  } catch (error) {
    return report(error, context, program.opts<Flags>()['verbose'] === true);
  }
}

function report(error: unknown, { terminal, signal }: CliContext, verbose: boolean): ExitCode {
  // Commander has printed what it has to say.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (signal.aborted && !(error instanceof CliError && error.exitCode === EXIT.usage)) {
    terminal.err('interrupted; run the command again to go on\n');
    return EXIT.interrupted;
  }
  const { message, cure, exitCode, stack, cause } = explainError(error);
  terminal.err(`error: ${message}\n`);
  if (cure !== undefined) terminal.err(`${cure}\n`);
  if (verbose) terminal.err(`${(cause instanceof Error ? cause.stack : undefined) ?? stack ?? ''}\n`);
  return exitCode;
}

/** What is set for the program holds for all commands. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command).exitOverride();
    child.helpCommand(false);
    inherit(child);
  }
}

function addVersion(program: Command, context: CliContext): void {
  addHostFlags(program.command('version'))
    .description('Show the versions of all that takes part')
    .addOption(namespaceOption())
    .option('--client', 'only that of this program')
    .addOption(formatOption(['json', 'yaml']))
    .action((flags: Flags) =>
      version(
        {
          host: hostChoice(flags),
          namespace: stringFlag(flags, 'namespace') ?? '',
          client: booleanFlag(flags, 'client'),
          format: flags['output'] as 'json' | 'yaml' | undefined,
        },
        context,
      ),
    );
}

function addCompletion(program: Command, context: CliContext): void {
  const { terminal } = context;
  program
    .command('completion')
    .description('Print the completion for a shell; load it with: source <(kosmosctl completion bash)')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action((shell: Shell) => terminal.out(completionScript(shell)));
}

/** How the scripts of the shells ask; the words that follow are not for the parser, which would take flags out of them. */
const COMPLETE = '__complete';

/** Prints what may follow: the index of the word that is typed, then the words. */
async function complete(program: Command, args: readonly string[], context: CliContext): Promise<void> {
  const [index = '1', ...words] = args;
  const found = await candidates(program, Number(index), words, (what, typed) => clusterNames(what, typed, context));
  context.terminal.out(found === 'files' ? ':file\n' : found.map((word) => `${word}\n`).join(''));
}
