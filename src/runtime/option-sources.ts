import { parseArgs } from 'node:util';
import { yaml } from '../lib/yaml.js';
import { errorMessage } from '../lib/errors.js';
import { optionNames, type OptionTable } from './option-spec.js';

/** Where values come from; a source earlier in this list wins. */
export interface OptionSources {
  /** The arguments of the process, without program and script. */
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads the YAML file that `--config` or `KOSMOS_CONFIG` names. */
  readonly readFile: (path: string) => string;
}

/** A value as it was written, and where, for messages. */
export interface RawValue {
  readonly where: string;
  readonly raw: unknown;
}

/** What one source says, by the names of the values. */
export type RawValues = ReadonlyMap<string, RawValue>;

/** Names the YAML file, as `--config` does. */
export const CONFIG_ENVIRONMENT = 'KOSMOS_CONFIG';
const CONFIG_FLAG = 'config';

/** What each source says, the one that wins first. Whatever is not understood is added to `problems`. */
export function readSources(table: OptionTable, sources: OptionSources, problems: string[]): readonly RawValues[] {
  const flags = readFlags(table, sources.flags, problems);
  const path = flags.get(CONFIG_FLAG)?.raw ?? sources.environment[CONFIG_ENVIRONMENT] ?? '';
  const content = path === '' ? {} : readYaml(path, sources.readFile, problems);
  return [flags, readEnvironment(table, sources), readConfig(table, path, content, problems)];
}

/** One flag, as parseArgs found it. */
interface FlagToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** One flag, understood; or what is wrong with it. */
type Flag = { readonly name: string; readonly flag: string; readonly raw: string } | { readonly problem: string };

function readFlags(
  table: OptionTable,
  args: readonly string[],
  problems: string[],
): ReadonlyMap<string, { readonly where: string; readonly raw: string }> {
  const byFlag = new Map(Object.entries(table).map(([name, spec]) => [optionNames(name, spec).flag.slice(2), name]));
  byFlag.set(CONFIG_FLAG, CONFIG_FLAG);
  const options = Object.fromEntries(
    [...byFlag].map(([flag, name]) => [flag, { type: table[name]?.isBoolean ? 'boolean' : 'string' }] as const),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowNegative: true, tokens: true });
  const values = new Map<string, { readonly where: string; readonly raw: string }>();
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`unexpected argument "${token.value}"`);
    if (token.kind !== 'option') continue;
    const found = understand(token, table, byFlag);
    if ('problem' in found) {
      problems.push(found.problem);
      continue;
    }
    const { name, flag, raw } = found;
    const before = table[name]?.isList ? values.get(name)?.raw : undefined;
    values.set(name, { where: `--${flag}`, raw: before === undefined ? raw : `${before},${raw}` });
  }
  return values;
}

function understand(token: FlagToken, table: OptionTable, byFlag: ReadonlyMap<string, string>): Flag {
  const { rawName, value } = token;
  const negated = rawName.startsWith('--no-') && !byFlag.has(rawName.slice(2));
  const flag = negated ? rawName.slice('--no-'.length) : token.name;
  const name = byFlag.get(flag);
  if (name === undefined) return { problem: `unknown flag ${rawName}` };
  if (table[name]?.isBoolean === true) {
    return negated && value !== undefined
      ? { problem: `${rawName} takes no value` }
      : { name, flag, raw: value ?? String(!negated) };
  }
  if (negated) return { problem: `unknown flag ${rawName}` };
  return hasValue(token) ? { name, flag, raw: token.value } : { problem: `${rawName}: a value is missing` };
}

/** parseArgs takes the next flag for a value that was forgotten. */
function hasValue(token: FlagToken): token is FlagToken & { readonly value: string } {
  return token.value !== undefined && (token.inlineValue === true || !token.value.startsWith('--'));
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

/** The map in the file; an empty one when there is none, which is a problem unless the file is empty. */
function readYaml(path: string, readFile: OptionSources['readFile'], problems: string[]): object {
  try {
    const content: unknown = yaml().parse(readFile(path)) ?? {};
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) return content;
    problems.push(`${path}: must be a map of options`);
  } catch (error) {
    problems.push(`${path}: ${errorMessage(error)}`);
  }
  return {};
}

function readConfig(table: OptionTable, path: string, content: object, problems: string[]): RawValues {
  const byKey = new Map(Object.entries(table).map(([name, spec]) => [optionNames(name, spec).file, name]));
  const values = new Map<string, RawValue>();
  for (const [key, raw] of Object.entries(content) as [string, unknown][]) {
    const name = byKey.get(key);
    if (name === undefined) problems.push(`${path}: unknown option "${key}"`);
    else if (raw !== null) values.set(name, { where: `${path}: ${key}`, raw });
  }
  return values;
}
