import { InvalidArgumentError, Option, type Command } from 'commander';
import { check, type CheckOptions } from '../commands/check.js';
import type { CliContext } from '../context.js';
import { usageError } from '../failure.js';
import type { NetworkOptions } from '../network/network-check.js';
import { NETWORK_CLASSES, type NetworkClass } from '../network/trial.js';
import {
  addMemberFlags,
  booleanFlag,
  formatOption,
  hostChoice,
  hostOfMember,
  parseWait,
  stringFlag,
  type Flags,
} from './options.js';

const MAX_PORT = 65_535;
const EXAMPLES = `
Examples:
  # Is the host fit, and does the network between all linked clusters work?
  kosmosctl check

  # Can this member join?
  kosmosctl check --kubeconfig member.yaml

  # Go on after an interruption, or try again what failed; show every pair
  kosmosctl check --resume -o wide

  # From the nodes themselves, one way only
  kosmosctl check --host-network --src east --dst west
`;

/** Adds `check`. */
export function addCheckCommand(program: Command, context: CliContext): void {
  addMemberFlags(program.command('check'))
    .description('Look whether Kosmos can be installed and a member can join; try the network of linked clusters')
    .option('--no-network', 'only look, and start nothing')
    .option('--resume', 'go on with what an earlier check did not try, or what failed there')
    .option('--src <clusters>', 'Clusters to try from, separated by commas (default: all that are linked)', split)
    .option('--dst <clusters>', 'Clusters to try to reach (default: all that are linked)', split)
    .option('--protocol <names>', `what to try, of ${NETWORK_CLASSES.join(', ')}`, parseClasses, [...NETWORK_CLASSES])
    .option('--host-network', 'try from the nodes, not from pods; needs a privileged namespace')
    .option('--member-kubeconfig <cluster=file>', "kubeconfig of a member instead of the managers' own", collect, [])
    .option('-n, --namespace <name>', 'namespace for floaters in each cluster', 'kosmos-check')
    .option('--image <name>', 'image of floaters (default: that of the managers)')
    .option('--port <number>', 'port of floaters, TCP and UDP', wholeNumber(MAX_PORT), 8889)
    .addOption(timeOption('-w, --pod-wait-time <time>', 'how long to wait for floaters', 60))
    .addOption(timeOption('--timeout <time>', 'how long to wait for each answer', 2))
    .option('--concurrency <number>', 'targets that a node tries at the same time', wholeNumber(256), 8)
    .option('--parallel <number>', 'nodes that try at the same time', wholeNumber(256), 20)
    .addOption(formatOption(['wide', 'json', 'yaml']))
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags) => {
      const member = hostChoice(flags);
      const isGiven = member.kubeconfig !== undefined || member.context !== undefined;
      const host = hostOfMember(flags);
      const format = flags['output'] as CheckOptions['format'];
      const wantsNetwork = !isGiven && flags['network'] !== false;
      const network = wantsNetwork ? networkOptions(flags) : undefined;
      return check({ host, member: isGiven ? member : undefined, format, network }, context);
    });
}

function networkOptions(flags: Flags): NetworkOptions {
  const setOf = (name: string): ReadonlySet<string> | undefined =>
    flags[name] === undefined ? undefined : new Set(flags[name] as readonly string[]);
  return {
    floaters: {
      ...{ namespace: stringFlag(flags, 'namespace') ?? '', port: flags['port'] as number },
      hostNetwork: booleanFlag(flags, 'hostNetwork'),
    },
    probes: {
      ...{ timeoutMs: flags['timeout'] as number, concurrency: flags['concurrency'] as number },
      waitMs: flags['podWaitTime'] as number,
    },
    choice: {
      classes: new Set(flags['protocol'] as readonly NetworkClass[]),
      sources: setOf('src'),
      targets: setOf('dst'),
    },
    image: stringFlag(flags, 'image'),
    parallel: flags['parallel'] as number,
    kubeconfigs: new Map((flags['memberKubeconfig'] as readonly string[]).map(parsePair)),
    resume: booleanFlag(flags, 'resume'),
  };
}

function split(text: string): readonly string[] {
  return text.split(',').filter((name) => name !== '');
}

function parseClasses(text: string): readonly NetworkClass[] {
  return split(text).map((name) => {
    const known = NETWORK_CLASSES.find((cls) => cls === name);
    if (known === undefined) throw new InvalidArgumentError(`"${name}" is none of ${NETWORK_CLASSES.join(', ')}.`);
    return known;
  });
}

function parsePair(text: string): readonly [cluster: string, file: string] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) {
    throw usageError(`--member-kubeconfig ${text}: is not cluster=file`, 'Write for instance member1=member1.yaml');
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function wholeNumber(most: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= most) return number;
    throw new InvalidArgumentError(`It is not a whole number from 1 to ${most}.`);
  };
}

function timeOption(flags: string, what: string, defaultSeconds: number): Option {
  return new Option(flags, `${what}: seconds, or a duration such as 5m`)
    .argParser(parseWait)
    .default(defaultSeconds * 1_000, `${defaultSeconds}s`);
}
