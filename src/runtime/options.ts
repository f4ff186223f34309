import { parseArgs } from 'node:util';
import { parse as parseYaml } from 'yaml';
import { errorMessage, TerminalError } from '../lib/errors.js';
import { tryParse, type OptionSpec } from './option-spec.js';

/** Options of a program by the names of their values. The value of a duration ends in `Ms`. */
export type OptionTable = Readonly<Record<string, OptionSpec<unknown>>>;

/** The compiled configuration: every option has its value. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionSpec<infer T> ? T : never;
};

/** Where values come from; a source earlier in this list wins. */
export interface OptionSources {
  /** The arguments of the process, without program and script. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads the YAML file that `--config` or `KOSMOS_CONFIG` names. */
  readonly readFile: (path: string) => string;
}

/** The configuration is wrong; lists everything that is. */
export class OptionsError extends TerminalError {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super('CONFIG_INVALID', ['the configuration is not valid:', ...problems.map((one) => `- ${one}`)].join('\n'));
    this.problems = problems;
  }
}

/** How a user writes an option in each of the sources. */
export interface OptionNames {
  readonly flag: string;
  readonly environment: string;
  readonly file: string;
}

/** A value as it was written, and where, for messages. */
interface RawValue {
  readonly where: string;
  readonly raw: unknown;
}

type RawValues = ReadonlyMap<string, RawValue>;

const CONFIG_FLAG = 'config';
const CONFIG_ENVIRONMENT = 'KOSMOS_CONFIG';

/** `leaseDurationMs` (a duration) is `--lease-duration`, `KOSMOS_LEASE_DURATION` and `leaseDuration`. */
export function optionNames(name: string, spec: OptionSpec<unknown>): OptionNames {
  const file = spec.isDuration ? name.replace(/Ms$/, '') : name;
  const words = file.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { flag: `--${words}`, environment: `KOSMOS_${words.replaceAll('-', '_').toUpperCase()}`, file };
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
  const flags = readFlags(table, sources.flags, problems);
  const layers = [flags, readEnvironment(table, sources), readConfigFile(table, flags, sources, problems)];
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

function readFlags(table: OptionTable, args: readonly string[], problems: string[]): RawValues {
  const byFlag = new Map(Object.entries(table).map(([name, spec]) => [optionNames(name, spec).flag.slice(2), name]));
  const types = [...byFlag].map(
    ([flag, name]) => [flag, { type: table[name]?.isBoolean ? 'boolean' : 'string' }] as const,
  );
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries([...types, [CONFIG_FLAG, { type: 'string' }] as const]),
    strict: false,
    allowNegative: true,
    tokens: true,
  });
  const values = new Map<string, RawValue>();
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`unexpected argument "${token.value}"`);
    if (token.kind !== 'option') continue;
    const negated = token.rawName.startsWith('--no-') && !byFlag.has(token.rawName.slice(2));
    const flag = negated ? token.rawName.slice('--no-'.length) : token.name;
    const name = flag === CONFIG_FLAG ? CONFIG_FLAG : byFlag.get(flag);
    const spec = table[name ?? ''];
    const problem = flagProblem(token, name, spec, negated);
    if (problem !== undefined) problems.push(problem);
    else if (name !== undefined) {
      const raw = token.value ?? String(!negated);
      const before = spec?.isList ? values.get(name)?.raw : undefined;
      values.set(name, { where: `--${flag}`, raw: before === undefined ? raw : `${String(before)},${raw}` });
    }
  }
  return values;
}

interface FlagToken {
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function flagProblem(
  { rawName, value, inlineValue }: FlagToken,
  name: string | undefined,
  spec: OptionSpec<unknown> | undefined,
  negated: boolean,
): string | undefined {
  const isBoolean = spec?.isBoolean === true;
  if (name === undefined || (negated && !isBoolean)) return `unknown flag ${rawName}`;
  if (negated && value !== undefined) return `${rawName} takes no value`;
  // parseArgs takes the next flag for the value that was forgotten.
  const missing = value === undefined || (inlineValue !== true && value.startsWith('--'));
  return missing && !isBoolean ? `${rawName}: a value is missing` : undefined;
}

function readEnvironment(table: OptionTable, { environment }: OptionSources): RawValues {
  const values = new Map<string, RawValue>();
  for (const [name, spec] of Object.entries(table)) {
    const where = optionNames(name, spec).environment;
    const raw = environment[where];
    // An empty variable is what a template leaves behind when it has nothing to say.
    if (raw !== undefined && raw !== '') values.set(name, { where, raw });
  }
  return values;
}

function readConfigFile(table: OptionTable, flags: RawValues, sources: OptionSources, problems: string[]): RawValues {
  const values = new Map<string, RawValue>();
  const path = flags.get(CONFIG_FLAG)?.raw ?? sources.environment[CONFIG_ENVIRONMENT];
  if (typeof path !== 'string' || path === '') return values;
  let content: unknown;
  try {
    content = parseYaml(sources.readFile(path)) ?? {};
  } catch (error) {
    problems.push(`${path}: ${errorMessage(error)}`);
    return values;
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    problems.push(`${path}: must be a map of options`);
    return values;
  }
  const byKey = new Map(Object.entries(table).map(([name, spec]) => [optionNames(name, spec).file, name]));
  for (const [key, raw] of Object.entries(content)) {
    const name = byKey.get(key);
    if (name === undefined) problems.push(`${path}: unknown option "${key}"`);
    else if (raw !== null) values.set(name, { where: `${path}: ${key}`, raw });
  }
  return values;
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
