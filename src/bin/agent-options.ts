import { hostname } from 'node:os';
import { LOG_LEVELS } from '../runtime/log-level.js';
import { choiceOption, integerOption, stringOption } from '../runtime/option-spec.js';
import { compileOptions, type OptionSources, type OptionValues } from '../runtime/options.js';

const MAX_PORT = 65535;

/** Every option of `kosmos-agent`; docs/reference/config.md is made from this table. */
export const AGENT_OPTIONS = {
  clusterName: stringOption({ help: 'Name of the Cluster that this node belongs to. Without it `CLUSTER_NAME`.' }),
  nodeName: stringOption({
    help: 'Name of this node in its cluster. Without it `NODE_NAME`, or the name of the machine.',
  }),
  kubeconfig: stringOption({
    help: "Kubeconfig of the node's own cluster. Without it the service account of the pod is used.",
  }),
  nodeConfig: stringOption({
    help: 'File with a NodeConfig to apply, instead of the one in the API server. It is read again when it changes, and the status is written beside it (`.status`).',
  }),
  stateDir: stringOption({
    default: '/var/lib/kosmos/agent',
    help: 'Directory for the last good config and for what settings of the kernel were before.',
  }),
  leaseNamespace: stringOption({
    default: 'kosmos-system',
    help: 'Namespace of the Lease by which the agent shows that it is alive; it must exist.',
  }),
  probePort: integerOption({
    default: 4878,
    min: 1,
    max: MAX_PORT,
    help: 'UDP port at which agents answer each other inside the tunnels; the same on all nodes.',
  }),
  healthAddress: stringOption({ default: '0.0.0.0', help: 'Address of the server for `/healthz` and `/metrics`.' }),
  healthPort: integerOption({
    default: 4879,
    min: 0,
    max: MAX_PORT,
    help: 'Port of the server for `/healthz` and `/metrics`; 0 takes any free one.',
  }),
  sysctlDir: stringOption({
    default: '/proc/sys',
    help: "Where the kernel's settings are. In a container `/proc/sys` can't be written to; the node's own `/proc/sys/net` may be mounted elsewhere.",
  }),
  nft: stringOption({ default: 'nft', help: 'The program `nft`.' }),
  floaterAddress: stringOption({ default: '::', help: 'With `floater`: address to listen at.' }),
  floaterHttpPort: integerOption({ default: 8889, min: 0, max: MAX_PORT, help: 'With `floater`: port for HTTP.' }),
  floaterTcpPort: integerOption({ default: 8890, min: 0, max: MAX_PORT, help: 'With `floater`: port for TCP.' }),
  floaterUdpPort: integerOption({ default: 8890, min: 0, max: MAX_PORT, help: 'With `floater`: port for UDP.' }),
  probePlan: stringOption({
    help: 'With `probe`: what to try, as JSON; `kosmosctl check` writes it.',
  }),
  logLevel: choiceOption(LOG_LEVELS, { default: 'info', help: 'Log lines below this level are left out.' }),
};

export type AgentOptions = OptionValues<typeof AGENT_OPTIONS>;

/** What the program is asked to do. */
export const AGENT_COMMANDS = ['run', 'uninstall', 'floater', 'probe'] as const;
export type AgentCommand = (typeof AGENT_COMMANDS)[number];

/** Takes the command off the flags; `run` when there is none. */
export function splitCommand(args: readonly string[]): {
  readonly command: AgentCommand;
  readonly flags: readonly string[];
} {
  const command = AGENT_COMMANDS.find((name) => name === args[0]);
  return command === undefined ? { command: 'run', flags: args } : { command, flags: args.slice(1) };
}

/** Compiles the options; throws one error that lists all that is wrong with them. */
export function compileAgentOptions(sources: OptionSources, command: AgentCommand): AgentOptions {
  return compileOptions(AGENT_OPTIONS, sources, ({ clusterName, nodeConfig, probePlan }) => {
    if (command === 'probe' && probePlan === undefined) return ['--probe-plan: is needed'];
    const isNamed = (clusterName ?? sources.environment['CLUSTER_NAME'] ?? '') !== '';
    return command === 'run' && nodeConfig === undefined && !isNamed
      ? ['--cluster-name: is needed, unless there is a --node-config']
      : [];
  });
}

/** Name of the node that the program runs on. */
export function nodeNameOf(
  { nodeName }: Pick<AgentOptions, 'nodeName'>,
  environment: OptionSources['environment'],
): string {
  return nodeName ?? environment['NODE_NAME'] ?? hostname();
}
