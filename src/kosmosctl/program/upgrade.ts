import type { Command } from 'commander';
import { upgrade } from '../commands/upgrade.js';
import type { CliContext } from '../context.js';
import { installOptionsOf } from './install.js';
import { booleanFlag, type Flags } from './options.js';

const UPGRADE_EXAMPLES = `
Give the flags that "kosmosctl install" was given, else their defaults come back; what would change is shown first.

Examples:
  # See what this version would change
  kosmosctl upgrade --dry-run

  # Do it without being asked
  kosmosctl upgrade --yes
`;

/** Adds `upgrade`, which has the flags of `install`. */
export function addUpgradeCommand(program: Command, context: CliContext): void {
  const command = program
    .command('upgrade')
    .description('Bring an installation to this version; shows what changes, and asks');
  const install = program.commands.find((candidate) => candidate.name() === 'install');
  // It prints no manifests, so that there is nothing to choose a form for.
  for (const option of install?.options ?? []) if (option.long !== '--output') command.addOption(option);
  command
    .option('-y, --yes', 'apply the changes without asking')
    .addHelpText('after', UPGRADE_EXAMPLES)
    .action((flags: Flags) =>
      upgrade({ ...installOptionsOf(flags, context), yes: booleanFlag(flags, 'yes') }, context),
    );
}
