import type { Command, Option } from 'commander';

/** What the shell is to complete with: these words, or names of files. */
export type Candidates = readonly string[] | 'files';

/** What an argument or the value of an option stands for, by its name; for what only the cluster knows. */
export type Resolver = (what: 'cluster' | 'node', words: readonly string[]) => Promise<readonly string[]>;

const FILE_VALUES = /file|kubeconfig/i;

/**
 * What may stand at a place of the command line. `words` are those after the program's name, `index` counts from 1 as the
 * shells do: the word that is being typed, which may be missing when it is empty.
 */
export async function candidates(
  program: Command,
  index: number,
  words: readonly string[],
  resolve: Resolver,
): Promise<Candidates> {
  const before = words.slice(0, index - 1).filter((word, at) => !isSeparator(word, words[at - 1]));
  const current = words[index - 1] ?? '';
  const typed = isSeparator(current, words[index - 2]) ? '' : current;
  const { command, positions } = descend(program, before);
  const expecting = optionOf(command, before.at(-1) ?? '');
  if (expecting !== undefined && takesValue(expecting))
    return matching(await valuesOf(expecting, before, resolve), typed);
  if (typed.startsWith('-')) return matching(flagsOf(command), typed);
  return matching(await wordsAt(command, positions, before, resolve), typed);
}

/** What may stand where neither a flag nor its value does: commands below this one, or its arguments. */
async function wordsAt(
  command: Command,
  position: number,
  before: readonly string[],
  resolve: Resolver,
): Promise<Candidates> {
  const children = command.commands.map((child) => child.name());
  // After a word that is none of them nothing can be right.
  if (children.length > 0) return position > 0 ? [] : children;
  const argument = command.registeredArguments[position];
  if (argument?.argChoices !== undefined) return argument.argChoices;
  if (argument?.name() === 'archive') return 'files';
  const kind = argument === undefined ? undefined : kindOf(argument.name(), command.name());
  return kind === undefined ? [] : resolve(kind, before);
}

/** bash takes the sign between a flag and its value for a word of its own. */
function isSeparator(word: string, previous: string | undefined): boolean {
  return word === '=' && previous?.startsWith('--') === true;
}

/** The command that the words lead to, and how many arguments of its own it has been given. */
function descend(
  program: Command,
  words: readonly string[],
): { readonly command: Command; readonly positions: number } {
  let command = program;
  let positions = 0;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    const option = optionOf(command, word);
    if (option !== undefined) {
      if (takesValue(option)) at += 1;
      continue;
    }
    if (word.startsWith('-')) continue;
    const child = command.commands.find((candidate) => candidate.name() === word || candidate.aliases().includes(word));
    if (child === undefined) positions += 1;
    else command = child;
  }
  return { command, positions };
}

function optionOf(command: Command, word: string): Option | undefined {
  return command.options.find(({ short, long }) => word !== '' && (word === short || word === long));
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

async function valuesOf(option: Option, words: readonly string[], resolve: Resolver): Promise<Candidates> {
  if (option.argChoices !== undefined) return option.argChoices;
  if (FILE_VALUES.test(option.flags)) return 'files';
  return option.long === '--cluster' ? resolve('cluster', words) : [];
}

function kindOf(argument: string, command: string): 'cluster' | 'node' | undefined {
  if (argument !== 'name') return undefined;
  if (command === 'nodes') return 'node';
  return command === 'cluster' || command === 'clusters' ? 'cluster' : undefined;
}

function flagsOf(command: Command): readonly string[] {
  return ['--help', ...command.options.filter((option) => !option.hidden).flatMap(({ long }) => long ?? [])];
}

function matching(found: Candidates, typed: string): Candidates {
  return found === 'files' ? found : found.filter((word) => word.startsWith(typed)).sort();
}
