import type { Node } from '../../apis/core.js';
import type { Cluster } from '../../apis/kosmos/v1alpha1/cluster.js';
import type { Probed } from '../wait.js';

/** What to do about reasons of a Cluster's condition `Ready`, for one who is just joining it. */
function cureOf(reason: string, server: string): string | undefined {
  switch (reason) {
    case 'ConnectionFailed':
    case 'ProbeTimeout':
      return `The manager runs in the host and must reach ${server}; give an address that it can reach with --inner-kubeconfig.`;
    case 'CertificateInvalid':
      return 'Give the right certificate authority, or an address that is in the certificate, with --inner-kubeconfig.';
    case 'CredentialRefused':
      return 'The member does not accept the token that it has just issued: is the address that of another cluster?';
    case 'MemberNotReady':
      return "The member's API server says that it is not ready: look at its /readyz?verbose.";
    case 'ListFailed':
      return 'Something in the member takes away rights that the role gives: look at admission and authorization there.';
    case 'NodeConflict':
      return 'Rename the node, or join the member under another name.';
    default:
      return undefined;
  }
}

/** Whether the member can take pods: its Cluster and its virtual nodes are ready. */
export function readinessOf(cluster: Cluster, nodes: readonly Node[], server: string): Probed<string> {
  const ready = cluster.status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready === undefined) {
    return {
      pending: 'no manager has looked at the Cluster yet',
      cure: 'Look whether a manager leads: kosmosctl doctor',
    };
  }
  if (ready.status !== 'True') {
    const cure = cureOf(ready.reason, server);
    return { pending: `${ready.reason}: ${ready.message}`, ...(cure !== undefined && { cure }) };
  }
  const names = cluster.status?.clusterTreeStatus?.leafNodeItems?.map(({ leafNodeName }) => leafNodeName) ?? [];
  const waiting = names.filter((name) => !nodes.some((node) => node.metadata?.name === name && isReady(node)));
  if (names.length === 0) return { pending: 'its virtual nodes are not there yet' };
  return waiting.length > 0
    ? { pending: `not ready: ${waiting.join(', ')}`, cure: 'Are the nodes of the member ready?' }
    : { found: names.join(', ') };
}

function isReady(node: Node): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;
}

/** What to do about reasons of a Cluster's condition `ClusterLinkReady`, for one who is just joining it. */
function linkCureOf(reason: string): string | undefined {
  switch (reason) {
    case 'NodesNotDetected':
    case 'NodesNotReady':
    case 'NoNodes':
      return 'Do its agents run? Look at: kubectl -n kosmos-member get pods -l app.kubernetes.io/component=agent';
    case 'PlanProblem':
      return 'Let others see a range as another one with --global-cidr, or change the Cluster that the message names.';
    case 'NameConflict':
      return 'Delete the object that the message names if nobody needs it, or join under another name.';
    case 'WriteFailed':
      return 'Mend what the API server says; then it goes on by itself.';
    case 'CIDRsMissing':
      return 'Name the right --cni, or set podCIDRs and serviceCIDRs in spec.clusterLinkOptions.';
    case 'NoGateway':
      return 'At least one node must be Ready, and not have the label kosmos.io/exclude.';
    default:
      return undefined;
  }
}

/** Whether the network of the cluster is linked with all others. */
export function linkReadinessOf({ status }: Pick<Cluster, 'status'>): Probed<string> {
  const ready = status?.conditions?.find(({ type }) => type === 'ClusterLinkReady');
  if (ready === undefined) {
    return {
      pending: 'no manager has looked at its network yet',
      cure: 'Look whether a manager leads: kosmosctl doctor',
    };
  }
  if (ready.status !== 'True') return { pending: `${ready.reason}: ${ready.message}`, cure: linkCureOf(ready.reason) };
  const { nodes, gateway } = status?.clusterLinkStatus ?? {};
  const summary = `${nodes?.total ?? 0} ${nodes?.total === 1 ? 'node' : 'nodes'}`;
  return { found: gateway === undefined ? summary : `${summary}, gateway ${gateway}` };
}
