import { Option, type Command } from 'commander';
import type { ClusterLinkOptions } from '../../apis/kosmos/v1alpha1/cluster.js';
import { parseCidr } from '../../lib/cidr.js';
import { usageError } from '../failure.js';
import { DEFAULT_VALUES } from '../manifests/values.js';
import { collect, stringFlag, type Flags } from './options.js';

/** Flags that say how the network of a cluster is linked, with Kosmos' names. */
export function addLinkFlags(command: Command): Command {
  return command
    .option('--cni <name>', 'what gives addresses to its pods: calico, flannel, cilium, or another (default: calico)')
    .option('--default-nic <name>', 'interface of its nodes that leads to other clusters (default: the default route)')
    .addOption(
      new Option('--network-type <type>', 'each node by itself, or through one node (default: gateway)').choices([
        'p2p',
        'gateway',
      ]),
    )
    .addOption(new Option('--ip-family <family>', 'what is linked (default: ipv4)').choices(['ipv4', 'ipv6', 'all']))
    .option(
      '--global-cidr <own=global>',
      'a range that others see as another one; may be given several times',
      collect,
    );
}

/** Whether a flag was given that says what the network is to be like. */
export function hasLinkFlags(flags: Flags): boolean {
  return ['networkType', 'ipFamily', 'globalCidr'].some((name) => flags[name] !== undefined);
}

/** What the flags say of a Cluster's options, and nothing more. @throws CliError */
export function givenLinkOptions(flags: Flags): ClusterLinkOptions {
  const [cni, ipFamily, defaultNICName] = ['cni', 'ipFamily', 'defaultNic'].map((name) => stringFlag(flags, name));
  const networkType = flags['networkType'] as ClusterLinkOptions['networkType'];
  const entries = ((flags['globalCidr'] ?? []) as readonly string[]).map(globalEntry);
  return {
    ...(cni !== undefined && { cni }),
    ...(networkType !== undefined && { networkType }),
    ...(ipFamily !== undefined && { ipFamily }),
    ...(defaultNICName !== undefined && { defaultNICName }),
    ...(entries.length > 0 && { globalCIDRsMap: Object.fromEntries(entries) }),
  };
}

/** The options of a Cluster that the flags stand for, with Kosmos' defaults. @throws CliError */
export function linkOptionsOf(flags: Flags): ClusterLinkOptions {
  return { ...DEFAULT_VALUES.clusterLink.options, ...givenLinkOptions(flags) };
}

function globalEntry(text: string): readonly [string, string] {
  const [own, global, ...more] = text.split('=').map(parseCidr);
  const form = 'Write for instance --global-cidr 10.10.0.0/16=242.10.0.0/16';
  if (own === undefined || global === undefined || more.length > 0) {
    throw usageError(`--global-cidr ${text}: is not range=range`, form);
  }
  if (own.family !== global.family || own.length !== global.length) {
    throw usageError(`--global-cidr ${text}: the ranges are not of the same size`, form);
  }
  return [own.text, global.text];
}
