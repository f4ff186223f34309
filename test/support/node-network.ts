import type { Lab } from '../../hack/lab/lab.js';
import { inNamespace } from '../../hack/lab/network.js';
import { run } from '../../hack/lab/run.js';

const COMMANDS = [
  'ip -o link | cut -d: -f2',
  'ip rule',
  'ip -6 rule',
  'ip route show table all',
  // Tables of others, such as kube-proxy, may still be made while this is looked at.
  'nft list tables | grep kosmos',
  'sysctl net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv4.conf.all.rp_filter',
];

/** What of a node's network is there now; two of these are equal when nothing was left behind. */
export async function nodeNetwork(lab: Lab, node: string): Promise<string> {
  const { stdout } = await run(...inNamespace(lab.namespaceOf(node), 'sh', ['-c', COMMANDS.join('; ')]));
  // Interfaces of pods, which come and go for reasons of their own.
  return stdout
    .split('\n')
    .filter((line) => !line.includes('veth'))
    .join('\n');
}
