import type { Command } from 'commander';
import type { CliContext } from '../../src/kosmosctl/context.js';
import { createProgram } from '../../src/kosmosctl/program/program.js';
import { systemClock } from '../../src/lib/clock.js';

const idle = (): undefined => undefined;

async function* noInput(): AsyncGenerator<Uint8Array> {}

/** Enough to make the command line; nothing of it is run. */
const NOWHERE: CliContext = {
  terminal: {
    out: () => undefined,
    err: () => undefined,
    write: () => Promise.resolve(),
    interactive: false,
    color: false,
    confirm: () => Promise.resolve(false),
  },
  input: { isTerminal: false, read: noInput, raw: () => idle, size: idle, onResize: () => idle },
  clock: systemClock,
  environment: {},
  readFile: () => '',
  writeFile: () => undefined,
  appendFile: () => undefined,
  homeDirectory: '',
  version: '',
  crds: () => [],
  signal: new AbortController().signal,
  setExitCode: () => undefined,
};

/** The help of every command, as it prints it. */
export function renderCommands(): string {
  const commands = leaves(createProgram(NOWHERE));
  return commands.map((command) => section(command)).join('\n');
}

function leaves(command: Command): readonly Command[] {
  const children = command.commands.filter((child) => !child.name().startsWith('_'));
  return children.length === 0 ? [command] : children.flatMap(leaves);
}

function section(command: Command): string {
  return [`## ${fullName(command)}`, '', '```', helpOf(command), '```', ''].join('\n');
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

/** With what `addHelpText` adds, which is printed only together with the rest. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text.trimEnd();
}
