import { LINK_OPTIONS, linkOptionProblems } from '../../clusterlink/planner/options.js';
import { optionNames, type OptionSpec } from '../../runtime/option-spec.js';
import { compileOptions, OptionsError } from '../../runtime/options.js';
import { Text, value, when, type Template } from './template.js';

const PATH = 'clusterLink.planner';

/** What holds for all linked clusters: the manager's options `--link-…` under names without `link`; ranges joined by commas. */
export type PlannerValues = Readonly<Record<string, string | number | boolean>>;

interface PlannerValue {
  readonly key: string;
  readonly flag: string;
  readonly spec: OptionSpec<unknown>;
}

const VALUES: readonly PlannerValue[] = Object.entries<OptionSpec<unknown>>(LINK_OPTIONS).map(([name, spec]) => ({
  key: `${name.charAt('link'.length).toLowerCase()}${name.slice('link'.length + 1)}`,
  flag: optionNames(name, spec).flag,
  spec,
}));

/** The manager's own defaults. */
export const PLANNER_DEFAULTS: PlannerValues = Object.fromEntries(
  VALUES.map(({ key, spec: { defaultValue } }) => [
    key,
    Array.isArray(defaultValue) ? defaultValue.join(',') : (defaultValue as number | boolean),
  ]),
);

/** What each value means, by path. */
export const PLANNER_HELP: Readonly<Record<string, string>> = {
  [PATH]: 'What holds for all linked clusters. Agents get it with their NodeConfigs.',
  ...Object.fromEntries(VALUES.map(({ key, spec: { help } }) => [`${PATH}.${key}`, help])),
};

/** Arguments of the manager; only where networks are linked. */
export const PLANNER_ARGS: readonly Template[] = VALUES.map(({ key, flag, spec }) => {
  const path = `${PATH}.${key}`;
  if (spec.isBoolean) return when(`clusterLink.enabled && !${path}`, flag.replace('--', '--no-'));
  return when('clusterLink.enabled', new Text([`${flag}=`, value(path)]));
});

/** What is wrong with the values; empty when nothing is. */
export function plannerProblems(values: PlannerValues): readonly string[] {
  const known = VALUES.filter(({ key }) => values[key] !== undefined);
  const flags = known.map(({ key, flag, spec }) =>
    spec.isBoolean && values[key] === false ? flag.replace('--', '--no-') : `${flag}=${String(values[key])}`,
  );
  try {
    compileOptions(LINK_OPTIONS, { flags, environment: {}, readFile: () => '' }, linkOptionProblems);
    return [];
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    return error.problems.map(inWordsOfValues);
  }
}

/** `--link-mtu: …` is about `clusterLink.planner.mtu`. */
function inWordsOfValues(problem: string): string {
  return VALUES.toSorted((a, b) => b.flag.length - a.flag.length).reduce(
    (said, { key, flag }) => said.replaceAll(new RegExp(`${flag}(?![\\w-])`, 'g'), `${PATH}.${key}`),
    problem,
  );
}
