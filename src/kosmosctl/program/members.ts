import { Option, type Command } from 'commander';
import { parseHostApiAddress } from '../../clustertree/cluster/host-api.js';
import { joinCluster } from '../commands/join.js';
import { unjoinCluster } from '../commands/unjoin.js';
import type { CliContext } from '../context.js';
import { DEFAULT_VALUES } from '../manifests/values.js';
import { usageError } from '../failure.js';
import { addLinkFlags, hasLinkFlags, linkOptionsOf } from './link-flags.js';
import {
  addMemberFlags,
  booleanFlag,
  hostChoice,
  hostOfMember,
  nameOf,
  namespaceOption,
  parseWait,
  pullSecretOption,
  stringFlag,
  waitOption,
  type Flags,
} from './options.js';

const DEFAULT_STATE_DIR = DEFAULT_VALUES.clusterLink.agent.stateDir;
const WEEK_SECONDS = 7 * 24 * 3600;
const SHORTEST_TOKEN_MS = 600_000;

const PULL_SECRET = "Secret with which nodes pull it; copied from the host's installation unless the member has it";

const JOIN_EXAMPLES = `
Examples:
  # Join a cluster; the host is that of the current context
  kosmosctl join cluster --name member1 --kubeconfig ~/.kube/member1

  # The manager reaches the member at another address than you do
  kosmosctl join cluster --name member1 --kubeconfig ~/.kube/member1 --inner-kubeconfig member1-inner.yaml

  # Link its network as well, through one gateway; where ranges overlap, others see another one
  kosmosctl join cluster --name member1 --kubeconfig ~/.kube/member1 --enable-all --network-type gateway \\
    --global-cidr 10.10.0.0/16=242.10.0.0/16

  # A virtual node for each node of the member
  kosmosctl join cluster --name member1 --kubeconfig ~/.kube/member1 --leaf-model one-to-one --yes
`;

/** Adds `join` and `unjoin`. */
export function addMemberCommands(program: Command, context: CliContext): void {
  const join = program.command('join').description('Make something a part of the federation');
  const cluster = addMemberFlags(join.command('cluster'))
    .description('Join a member cluster')
    .argument('[name]', 'name of the Cluster; the same as --name')
    .option('--name <name>', 'name of the Cluster')
    .option('--inner-kubeconfig <file>', 'kubeconfig whose server the manager uses to reach the member')
    .addOption(namespaceOption())
    .option(
      '--member-namespace <name>',
      'namespace of the member for the service account of the manager',
      'kosmos-member',
    )
    .option('--enable-tree', 'run pods of the host in the member (ClusterTree)')
    .option('--enable-link', 'make its pods and Services reachable from all linked clusters (ClusterLink)')
    .option('--enable-all', 'both (default: what other flags are about, else all that the installation has)')
    .addOption(
      new Option(
        '--leaf-model <model>',
        'a virtual node for the whole member, or one for each (default: one-to-cluster)',
      ).choices(['one-to-cluster', 'one-to-one']),
    );
  addLinkFlags(cluster)
    .option('--image <name>', "image of the agents (default: the managers')")
    .addOption(pullSecretOption(PULL_SECRET))
    .option('--agent-state-dir <folder>', 'folder of its nodes for what agents remember', DEFAULT_STATE_DIR)
    .option('--kubelet-stats', "take exact figures from the member's kubelets; the right to do so allows much more")
    .option('--keep-namespaces', 'never remove namespaces in the member, and need no right to list everything there')
    .option('--host-api-server <host:port>', "where pods in the member reach the host's API server")
    .addOption(
      new Option('--token-lifetime <time>', "life of the manager's token, which it renews after half of it")
        .argParser(parseWait)
        .default(WEEK_SECONDS * 1000, '168h'),
    )
    .addOption(waitOption('how long to wait until the member is ready, 0 for not at all', 120))
    .option('-y, --yes', 'grant the rights in the member without asking')
    .addHelpText('after', JOIN_EXAMPLES)
    .action(async (argument: unknown, flags: Flags) => {
      const name = nameOf(argument, flags);
      if (name === undefined) throw usageError('the Cluster has no name', 'Add --name.');
      if (stringFlag(flags, 'kubeconfig') === undefined && stringFlag(flags, 'context') === undefined) {
        throw usageError(
          'which cluster is to join?',
          "Name its kubeconfig with --kubeconfig, or a context of the host's.",
        );
      }
      await joinCluster(
        {
          name,
          member: hostChoice(flags),
          host: hostOfMember(flags),
          innerKubeconfig: stringFlag(flags, 'innerKubeconfig'),
          namespace: stringFlag(flags, 'namespace') ?? '',
          memberNamespace: stringFlag(flags, 'memberNamespace') ?? '',
          modules: {
            enableAll: booleanFlag(flags, 'enableAll'),
            enableTree: booleanFlag(flags, 'enableTree'),
            enableLink: booleanFlag(flags, 'enableLink'),
            hasLinkFlags: hasLinkFlags(flags),
            hasLeafModel: flags['leafModel'] !== undefined,
          },
          link: linkOptionsOf(flags),
          image: stringFlag(flags, 'image'),
          imagePullSecrets: (flags['imagePullSecret'] ?? []) as readonly string[],
          agentStateDir: stringFlag(flags, 'agentStateDir') ?? DEFAULT_STATE_DIR,
          leafModel: (flags['leafModel'] ?? 'one-to-cluster') as 'one-to-cluster' | 'one-to-one',
          kubeletStats: booleanFlag(flags, 'kubeletStats'),
          keepNamespaces: booleanFlag(flags, 'keepNamespaces'),
          hostApiServer: hostApiServerOf(flags),
          tokenLifetimeMs: lifetimeOf(flags),
          waitMs: flags['waitTime'] as number,
          yes: booleanFlag(flags, 'yes'),
        },
        context,
      );
    });
  addUnjoin(program, context);
}

function addUnjoin(program: Command, context: CliContext): void {
  const unjoin = program.command('unjoin').description('Take something out of the federation');
  addMemberFlags(unjoin.command('cluster'))
    .description('Take a member cluster out; its pods are deleted, each with its grace period')
    .argument('[name]', 'name of the Cluster; the same as --name')
    .option('--name <name>', 'name of the Cluster')
    .addOption(namespaceOption())
    .option('--force', "don't wait for a member that doesn't answer; says what stays behind")
    .option('--verify', 'look in the end whether anything is left; needs --kubeconfig')
    .addOption(waitOption('how long to wait until pods and virtual nodes are gone', 300))
    .action(async (argument: unknown, flags: Flags) => {
      const name = nameOf(argument, flags);
      if (name === undefined) throw usageError('which Cluster is to leave?', 'Add its name.');
      const member = hostChoice(flags);
      const isGiven = member.kubeconfig !== undefined || member.context !== undefined;
      if (booleanFlag(flags, 'verify') && !isGiven) {
        throw usageError('--verify needs a kubeconfig of the member', 'Add --kubeconfig.');
      }
      await unjoinCluster(
        {
          name,
          host: hostOfMember(flags),
          member: isGiven ? member : undefined,
          namespace: stringFlag(flags, 'namespace') ?? '',
          force: booleanFlag(flags, 'force'),
          verify: booleanFlag(flags, 'verify'),
          waitMs: flags['waitTime'] as number,
        },
        context,
      );
    });
}

function hostApiServerOf(flags: Flags): string | undefined {
  const text = stringFlag(flags, 'hostApiServer');
  if (text !== undefined && parseHostApiAddress(text) === undefined) {
    throw usageError(
      `--host-api-server: "${text}" is not host:port`,
      'Write for instance api.example:6443 or [fd00::1]:6443.',
    );
  }
  return text;
}

function lifetimeOf(flags: Flags): number {
  const ms = flags['tokenLifetime'] as number;
  if (ms < SHORTEST_TOKEN_MS)
    throw usageError('--token-lifetime: Kubernetes issues no tokens for less than 10 minutes');
  return ms;
}
