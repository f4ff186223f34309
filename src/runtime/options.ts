import { TerminalError } from '../lib/errors.js';
import { CONFIG_ENVIRONMENT, readSources, type OptionSources } from './option-sources.js';
import { optionNames, tryParse, type OptionNames, type OptionSpec, type OptionTable } from './option-spec.js';

export type { OptionSources } from './option-sources.js';

/** The compiled configuration: every option has its value. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionSpec<infer T> ? T : never;
};

/** The configuration is wrong; lists everything that is. */
export class OptionsError extends TerminalError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('CONFIG_INVALID', ['the configuration is not valid:', ...problems.map((one) => `- ${one}`)].join('\n'));
    this.problems = problems;
  }
}

/**
 * Values of all options from flags, environment and file, frozen. Throws one {@link OptionsError} that lists all
 * problems: unknown flags and keys, values that don't parse, required ones that are missing, and what `check` finds.
 * `check` is called only when every single value is right.
 */
export function compileOptions<Table extends OptionTable>(
  table: Table,
  sources: OptionSources,
  check: (values: OptionValues<Table>) => readonly string[] = () => [],
): OptionValues<Table> {
  const problems: string[] = [];
  const layers = readSources(table, sources, problems);
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(table)) {
    const given = layers.map((layer) => layer.get(name)).find((value) => value !== undefined);
    if (given === undefined) {
      const { flag, environment } = optionNames(name, spec);
      if (spec.required) problems.push(`${flag} (or ${environment}) is required`);
      values[name] = spec.defaultValue;
      continue;
    }
    const parsed = tryParse(spec, given.raw);
    if ('problem' in parsed) problems.push(`${given.where}: ${parsed.problem}`);
    else values[name] = parsed.value;
  }
  if (problems.length === 0) problems.push(...check(values as OptionValues<Table>));
  if (problems.length > 0) throw new OptionsError(problems);
  return Object.freeze(values) as OptionValues<Table>;
}

function rowsOf(table: OptionTable): { readonly names: OptionNames; readonly spec: OptionSpec<unknown> }[] {
  return Object.entries(table)
    .map(([name, spec]) => ({ names: optionNames(name, spec), spec }))
    .sort((left, right) => (left.names.flag < right.names.flag ? -1 : 1));
}

function defaultOf({ required, defaultText }: OptionSpec<unknown>): string {
  if (required) return 'required';
  return defaultText === undefined || defaultText === '' ? 'none' : `\`${defaultText}\``;
}

/** The table of docs/reference/config.md. */
export function renderOptionsTable(table: OptionTable): string {
  const rows = rowsOf(table).map(({ names, spec }) => {
    const type = spec.type.replaceAll('|', '\\|');
    return `| \`${names.flag}\` | \`${names.environment}\` | \`${names.file}\` | ${type} | ${defaultOf(spec)} | ${spec.help} |`;
  });
  return ['| Flag | Environment | File | Value | Default | Meaning |', '|---|---|---|---|---|---|', ...rows, ''].join(
    '\n',
  );
}

/** What `--help` prints. */
export function renderHelp(usage: string, table: OptionTable): string {
  const own = [
    { left: '  --config FILE', help: `YAML file with options (environment: ${CONFIG_ENVIRONMENT}).` },
    { left: '  --help', help: 'Print this and exit.' },
  ];
  const lines = rowsOf(table).map(({ names, spec }) => ({
    left: `  ${names.flag}${spec.isBoolean ? '' : ` ${spec.placeholder}`}`,
    help: `${spec.help} (default: ${defaultOf(spec).replaceAll('`', '')})`,
  }));
  const width = Math.max(...[...own, ...lines].map(({ left }) => left.length)) + 2;
  const body = [...lines, ...own].map(({ left, help }) => `${left.padEnd(width)}${help}`);
  return [`Usage: ${usage}`, '', 'Options:', ...body, ''].join('\n');
}
