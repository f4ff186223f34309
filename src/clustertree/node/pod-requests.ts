import type { Container, ContainerStatus, Pod } from '../../apis/core.js';
import type { ResourceList, Resources } from '../../lib/resource-list.js';
import { addResources, maxResources, NO_RESOURCES, parseResources } from '../../lib/resource-list.js';

/** Resources that pod-level requests may name, besides huge pages. */
const POD_LEVEL_RESOURCES = ['cpu', 'memory'];
const HUGE_PAGES_PREFIX = 'hugepages-';

/**
 * What the scheduler reckons the pod takes of its node, with in-place resizes that are under way; without the pod's
 * own place among the node's `pods`. Resources of claims (DRA) are not included: they are no part of allocatable
 * unless an alpha feature is on.
 *
 * @throws SyntaxError when one of the amounts is no quantity.
 */
export function podRequests(pod: Pod): Resources {
  const requests = overridden(containerRequests(pod), podLevelRequests(pod));
  return addResources(requests, parseResources(pod.spec?.overhead));
}

function containerRequests(pod: Pod): Resources {
  const statuses = statusByName(pod);
  const requestsOf = (container: Container): Resources => effectiveRequests(pod, container, statuses);
  let running = sum((pod.spec?.containers ?? []).map(requestsOf));
  let sidecars = NO_RESOURCES;
  let startup = NO_RESOURCES;
  for (const container of pod.spec?.initContainers ?? []) {
    if (isSidecar(container)) {
      const requests = requestsOf(container);
      running = addResources(running, requests);
      sidecars = addResources(sidecars, requests);
      startup = maxResources(startup, sidecars);
    } else {
      // An ordinary init container runs beside the sidecars that come before it; it is never resized.
      startup = maxResources(startup, addResources(parseResources(container.resources?.requests), sidecars));
    }
  }
  return maxResources(running, startup);
}

function sum(list: readonly Resources[]): Resources {
  return list.reduce(addResources, NO_RESOURCES);
}

function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

function statusByName(pod: Pod): ReadonlyMap<string, ContainerStatus> {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return new Map([...containerStatuses, ...initContainerStatuses].map((status) => [status.name, status]));
}

function effectiveRequests(pod: Pod, container: Container, statuses: ReadonlyMap<string, ContainerStatus>): Resources {
  const status = statuses.get(container.name);
  const spec = container.resources?.requests;
  if (status?.resources === undefined) return parseResources(spec);
  return largest(pod, { spec, actuated: status.resources.requests, allocated: status.allocatedResources });
}

interface ResizeState {
  readonly spec: ResourceList | undefined;
  readonly actuated: ResourceList | undefined;
  readonly allocated: ResourceList | undefined;
}

/** While a resize is under way the largest of the amounts counts; one that can't be done doesn't (KEP-1287). */
function largest(pod: Pod, state: ResizeState): Resources {
  const present = maxResources(parseResources(state.actuated), parseResources(state.allocated));
  return isResizeInfeasible(pod) ? present : maxResources(parseResources(state.spec), present);
}

function isResizeInfeasible(pod: Pod): boolean {
  const pending = (pod.status?.conditions ?? []).find((condition) => condition.type === 'PodResizePending');
  return pending?.reason === 'Infeasible';
}

/** Pod-level requests (KEP-2837); they replace the sum of the containers'. */
function podLevelRequests(pod: Pod): Resources {
  const spec = supported(pod.spec?.resources?.requests);
  const { resources: actuated, allocatedResources: allocated } = pod.status ?? {};
  if (spec === undefined || actuated === undefined) return parseResources(spec);
  const effective = largest(pod, { spec, actuated: actuated.requests, allocated });
  return new Map([...effective].filter(([name]) => Object.hasOwn(spec, name)));
}

function supported(requests: ResourceList | undefined): ResourceList | undefined {
  if (requests === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(requests).filter(
      ([name]) => POD_LEVEL_RESOURCES.includes(name) || name.startsWith(HUGE_PAGES_PREFIX),
    ),
  );
}

function overridden(base: Resources, override: Resources): Resources {
  return override.size === 0 ? base : new Map([...base, ...override]);
}
