import { createHash } from 'node:crypto';

/** A name of an object may have this many characters (DNS subdomain). */
const MAX_NAME = 253;

/** `<cluster>-<node>`: what Kosmos calls the ClusterNode and the NodeConfig of a node. */
export function nodeObjectName(clusterName: string, nodeName: string): string {
  const name = `${clusterName}-${nodeName}`;
  return name.length > MAX_NAME ? distinctNodeObjectName(clusterName, nodeName) : name;
}

/**
 * The name for a node whose {@link nodeObjectName} stands for another node already: node `c` of the Cluster `a-b` and
 * node `b-c` of `a` have the same. Which of two nodes an object is for, its `spec` says.
 */
export function distinctNodeObjectName(clusterName: string, nodeName: string): string {
  const digest = createHash('sha256').update(`${clusterName}/${nodeName}`).digest('hex').slice(0, 8);
  return `${`${clusterName}-${nodeName}`.slice(0, MAX_NAME - digest.length - 1)}-${digest}`;
}
