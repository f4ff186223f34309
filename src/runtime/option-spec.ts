import { formatDuration, parseDuration } from '../lib/duration.js';
import { errorMessage } from '../lib/errors.js';

/** One option: how its value is read and what the reference says about it. */
export interface OptionSpec<T> {
  readonly help: string;
  /** Stands for the value in the help, for instance `DURATION`. */
  readonly placeholder: string;
  /** What values are allowed, for the reference. */
  readonly type: string;
  /** The default as a user would write it; undefined when there is none. */
  readonly defaultText: string | undefined;
  readonly defaultValue: T | undefined;
  readonly required: boolean;
  /** A flag without value means true. */
  readonly isBoolean: boolean;
  /** May be given several times; values are joined. */
  readonly isList: boolean;
  /** Durations are given with a unit; the name of the value says milliseconds. */
  readonly isDuration: boolean;
  /** Value of a text (flag, environment) or of a YAML node. Throws an Error that says what is wrong with it. */
  parse(raw: unknown): T;
}

/** Options of a program by the names of their values. The value of a duration ends in `Ms`. */
export type OptionTable = Readonly<Record<string, OptionSpec<unknown>>>;

/** How a user writes an option in each of the sources. */
export interface OptionNames {
  readonly flag: string;
  readonly environment: string;
  readonly file: string;
}

/** `leaseDurationMs` (a duration) is `--lease-duration`, `KOSMOS_LEASE_DURATION` and `leaseDuration`. */
export function optionNames(name: string, spec: OptionSpec<unknown>): OptionNames {
  const file = spec.isDuration ? name.replace(/Ms$/, '') : name;
  const words = file.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return { flag: `--${words}`, environment: `KOSMOS_${words.replaceAll('-', '_').toUpperCase()}`, file };
}

/** What all kinds of options have. */
export interface OptionSettings<T> {
  readonly help: string;
  readonly default?: T;
  readonly required?: true;
}

/** An option has a value for certain when it has a default or is required. */
type Value<T, S> = S extends { readonly default: T } | { readonly required: true } ? T : T | undefined;

interface Kind<T> {
  readonly placeholder: string;
  readonly type: string;
  readonly isBoolean?: boolean;
  readonly isList?: boolean;
  readonly isDuration?: boolean;
  readonly format?: (value: T) => string;
  parse(raw: unknown): T;
}

function make<T, S extends OptionSettings<T>>(settings: S, kind: Kind<T>): OptionSpec<Value<T, S>> {
  const { help, default: fallback, required = false } = settings;
  const format = kind.format ?? String;
  return {
    isBoolean: false,
    isList: false,
    isDuration: false,
    ...kind,
    help,
    required,
    defaultValue: fallback,
    defaultText: fallback === undefined ? undefined : format(fallback),
    parse: (raw) => kind.parse(raw),
  };
}

function asText(raw: unknown): string {
  if (typeof raw === 'string') return raw;
  if (typeof raw === 'number' || typeof raw === 'boolean') return String(raw);
  throw new Error('must be a text');
}

/** Any text that isn't empty. */
export function stringOption<const S extends OptionSettings<string>>(settings: S): OptionSpec<Value<string, S>> {
  return make<string, S>(settings, {
    placeholder: 'TEXT',
    type: 'text',
    parse: (raw) => {
      const text = asText(raw);
      if (text === '') throw new Error('must not be empty');
      return text;
    },
  });
}

/** A whole number within limits. */
export function integerOption<
  const S extends OptionSettings<number> & { readonly min?: number; readonly max?: number },
>(settings: S): OptionSpec<Value<number, S>> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = settings;
  const range = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `${min} to ${max}`;
  return make<number, S>(settings, {
    placeholder: 'N',
    type: `whole number, ${range}`,
    parse: (raw) => {
      const text = asText(raw);
      const value = Number(text);
      if (!/^[+-]?\d+$/.test(text) || value < min || value > max)
        throw new Error(`"${text}" is not a whole number, ${range}`);
      return value;
    },
  });
}

/** `true` or `false`; as a flag also `--name` and `--no-name`. */
export function booleanOption<const S extends OptionSettings<boolean>>(settings: S): OptionSpec<Value<boolean, S>> {
  return make<boolean, S>(settings, {
    placeholder: '',
    type: '`true` or `false`',
    isBoolean: true,
    parse: (raw) => {
      const text = asText(raw);
      if (text !== 'true' && text !== 'false') throw new Error(`"${text}" is neither true nor false`);
      return text === 'true';
    },
  });
}

/** A time such as `5m`; the value is in milliseconds. */
export function durationOption<const S extends OptionSettings<number> & { readonly minMs?: number }>(
  settings: S,
): OptionSpec<Value<number, S>> {
  const { minMs = 0 } = settings;
  const least = formatDuration(minMs);
  return make<number, S>(settings, {
    placeholder: 'DURATION',
    type: `duration, at least ${least}`,
    isDuration: true,
    format: formatDuration,
    parse: (raw) => {
      const value = parseDuration(asText(raw));
      if (value < minMs) throw new Error(`"${asText(raw)}" is less than ${least}`);
      return value;
    },
  });
}

/** One of a few words. */
export function choiceOption<const C extends string, const S extends OptionSettings<C>>(
  choices: readonly C[],
  settings: S,
): OptionSpec<Value<C, S>> {
  return make<C, S>(settings, {
    placeholder: choices.join('|'),
    type: choices.map((choice) => `\`${choice}\``).join(', '),
    parse: (raw) => asChoice(choices, asText(raw)),
  });
}

/** Any number of texts: separated by commas, or a YAML list. Empty parts are left out. */
export function listOption<const S extends OptionSettings<readonly string[]>>(
  settings: S,
): OptionSpec<Value<readonly string[], S>> {
  return makeList(settings, 'list', (item) => item);
}

/** Any number of a few words, written as a {@link listOption}. */
export function choicesOption<const C extends string, const S extends OptionSettings<readonly C[]>>(
  choices: readonly C[],
  settings: S,
): OptionSpec<Value<readonly C[], S>> {
  const type = `list of ${choices.map((choice) => `\`${choice}\``).join(', ')}`;
  return makeList(settings, type, (item) => asChoice(choices, item));
}

function makeList<C extends string, S extends OptionSettings<readonly C[]>>(
  settings: S,
  type: string,
  item: (text: string) => C,
): OptionSpec<Value<readonly C[], S>> {
  return make<readonly C[], S>(settings, {
    placeholder: 'A,B',
    type,
    isList: true,
    format: (value) => value.join(','),
    parse: (raw) => {
      const parts = Array.isArray(raw) ? raw.map(asText) : asText(raw).split(',');
      const texts = parts.map((part) => part.trim()).filter((part) => part !== '');
      return Object.freeze(texts.map(item));
    },
  });
}

function asChoice<C extends string>(choices: readonly C[], text: string): C {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw new Error(`"${text}" is none of ${choices.join(', ')}`);
  return found;
}

/** The value, or what is wrong with it. */
export function tryParse<T>(spec: OptionSpec<T>, raw: unknown): { readonly value: T } | { readonly problem: string } {
  try {
    return { value: spec.parse(raw) };
  } catch (error) {
    return { problem: errorMessage(error) };
  }
}
