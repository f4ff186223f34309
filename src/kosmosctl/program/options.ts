import { InvalidArgumentError, Option, type Command } from 'commander';
import { KOSMOS_NAMESPACE } from '../../apis/names.js';
import { tryParseDuration } from '../../lib/duration.js';
import { usageError } from '../failure.js';
import { FORMATS } from '../output/format.js';
import type { ClusterChoice } from '../session.js';

/** What commander has read; each command knows which of them it has. */
export interface Flags {
  readonly [name: string]: unknown;
}

export const stringFlag = (flags: Flags, name: string): string | undefined => flags[name] as string | undefined;
export const booleanFlag = (flags: Flags, name: string): boolean => flags[name] === true;

/** Flags that say where the host is, for commands that are about it alone. */
export function addHostFlags(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig of the host cluster (default: $KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'context of the kubeconfig, instead of its current one');
}

export function hostChoice(flags: Flags): ClusterChoice {
  return { kubeconfig: stringFlag(flags, 'kubeconfig'), context: stringFlag(flags, 'context') };
}

/** Flags for commands that are about a member, whose kubeconfig is the nearer one. */
export function addMemberFlags(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'kubeconfig of the member')
    .option('--context <name>', "context of the member's kubeconfig, instead of its current one")
    .option('--host-kubeconfig <file>', 'kubeconfig of the host (default: $KUBECONFIG, then ~/.kube/config)')
    .option('--host-context <name>', "context of the host's kubeconfig, instead of its current one");
}

export function hostOfMember(flags: Flags): ClusterChoice {
  return { kubeconfig: stringFlag(flags, 'hostKubeconfig'), context: stringFlag(flags, 'hostContext') };
}

export function namespaceOption(): Option {
  return new Option('-n, --namespace <name>', 'namespace of the installation in the host').default(KOSMOS_NAMESPACE);
}

export function formatOption(formats: readonly string[] = FORMATS): Option {
  return new Option('-o, --output <format>', 'how to print it').choices(formats);
}

/** For a flag that may be given several times. */
export function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

/** A flag for Secrets of a private registry; it may be given several times. */
export function pullSecretOption(what: string): Option {
  return new Option('--image-pull-secret <name>', `${what}; may be given several times`).argParser(collect);
}

/** Seconds as Kosmos takes them, or a duration such as `5m`. Milliseconds. */
export function parseWait(text: string): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : tryParseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It is neither a number of seconds nor a duration such as 5m.');
  return ms;
}

export function waitOption(what: string, defaultSeconds: number): Option {
  return new Option('--wait-time <time>', `${what}: seconds, or a duration such as 5m`)
    .argParser(parseWait)
    .default(defaultSeconds * 1000, `${defaultSeconds}s`);
}

/** A name that may be an argument, or the flag of that name as Kosmos has it. @throws CliError when they differ */
export function nameOf(argument: unknown, flags: Flags): string | undefined {
  const flag = stringFlag(flags, 'name');
  if (typeof argument !== 'string') return flag;
  if (flag !== undefined && flag !== argument) {
    throw usageError(`the Cluster has two names: ${argument} and ${flag}`, 'Give one of them.');
  }
  return argument;
}
