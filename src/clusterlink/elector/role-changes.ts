import type { ClusterNode } from '../../apis/kosmos/v1alpha1/cluster-node.js';
import { GATEWAY_ROLE } from '../../apis/names.js';
import { sameJson } from '../../lib/same-json.js';
import { isGateway } from '../cluster/gateways.js';
import type { Election } from './choose.js';

/** A merge patch of one ClusterNode. */
export interface RolePatch {
  readonly name: string;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly spec: { readonly roles?: readonly string[] | null; readonly standbyOrder?: number | null };
}

/**
 * What to write so that the ClusterNodes of a cluster say what was elected; roles of others stay. The new gateway comes
 * first: between two writes there may be two gateways, of which the planner takes one, but never none.
 */
export function roleChanges(clusterNodes: readonly ClusterNode[], election: Election): readonly RolePatch[] {
  const patches = clusterNodes.flatMap((object) => rolePatch(object, election) ?? []);
  const isNew = ({ spec }: RolePatch): boolean => spec.roles?.includes(GATEWAY_ROLE) === true;
  return [...patches.filter(isNew), ...patches.filter((patch) => !isNew(patch))];
}

function rolePatch(object: ClusterNode, { gateway, standbys }: Election): RolePatch | undefined {
  const { metadata, spec } = object;
  const { nodeName = '', roles = [], standbyOrder } = spec;
  const others = roles.filter((role) => role.toLowerCase() !== GATEWAY_ROLE);
  const place = standbys.indexOf(nodeName);
  const order = place < 0 ? undefined : place + 1;
  const isElected = nodeName === gateway;
  const wanted = isElected ? [...others, GATEWAY_ROLE] : others;
  const changes = {
    ...(isGateway(object) !== isElected && { roles: wanted.length === 0 ? null : wanted }),
    ...(!sameJson(standbyOrder, order) && { standbyOrder: order ?? null }),
  };
  if (Object.keys(changes).length === 0) return undefined;
  const { name = '', uid, resourceVersion } = metadata ?? {};
  return { name, uid, resourceVersion, spec: changes };
}
