import type { EnvVar, Service } from '../../apis/core.js';
import type { HostApiAddress } from '../cluster/host-api.js';

export interface ServiceEnvironmentOptions {
  /** The pod's namespace. */
  readonly namespace: string;
  /** The pod's `enableServiceLinks`. */
  readonly links: boolean;
  readonly hostApi?: HostApiAddress | undefined;
}

interface ServicePort {
  readonly name?: string | undefined;
  readonly port: number;
  readonly protocol?: string | undefined;
}

interface Target {
  readonly name: string;
  readonly address: string;
  readonly ports: readonly ServicePort[];
}

const API_SERVICE = 'kubernetes';
const API_NAMESPACE = 'default';
/** Older API servers refuse other names, and a Service name may begin with a digit. */
const VALID_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/;

/**
 * By Service object: caches hand out the same object until it changes, and every pod of a namespace asks for the same.
 */
const KNOWN = new WeakMap<Service, readonly EnvVar[]>();

/**
 * The variables that a kubelet of the host would add to each container: the host's API server always, the services
 * of the pod's namespace when `links`. Sorted by service name, so that the same services give the same list.
 */
export function serviceEnvironment(services: readonly Service[], options: ServiceEnvironmentOptions): EnvVar[] {
  const chosen = new Map<string, readonly EnvVar[]>();
  for (const service of services) {
    const { namespace, name } = service.metadata ?? {};
    const inNamespace = options.links && namespace === options.namespace;
    // A Service named "kubernetes" of the pod's own namespace wins, as in the kubelet.
    const isWanted = inNamespace || (isApiService(service) && !chosen.has(API_SERVICE));
    const variables = isWanted ? variablesOfService(service) : [];
    if (name !== undefined && variables.length > 0) chosen.set(name, variables);
  }
  if (options.hostApi !== undefined) chosen.set(API_SERVICE, variablesOf(apiTarget(options.hostApi)));
  const sorted = [...chosen].sort(([left], [right]) => (left < right ? -1 : 1));
  return sorted.flatMap(([, variables]) => variables);
}

function variablesOfService(service: Service): readonly EnvVar[] {
  const known = KNOWN.get(service);
  if (known) return known;
  const target = targetOf(service);
  const variables = target ? variablesOf(target) : [];
  KNOWN.set(service, variables);
  return variables;
}

function isApiService(service: Service): boolean {
  return service.metadata?.namespace === API_NAMESPACE && service.metadata.name === API_SERVICE;
}

function targetOf(service: Service): Target | undefined {
  const { clusterIP: address = '', ports = [] } = service.spec ?? {};
  const name = service.metadata?.name;
  if (name === undefined || address === '' || address === 'None' || ports.length === 0) return undefined;
  return { name, address, ports };
}

function apiTarget(hostApi: HostApiAddress): Target {
  return { name: API_SERVICE, address: hostApi.host, ports: [{ name: 'https', port: hostApi.port }] };
}

function variablesOf(target: Target): EnvVar[] {
  const prefix = variableName(target.name);
  const first = target.ports.slice(0, 1);
  const named = target.ports.flatMap(({ name, port }) => (name ? [{ name, port }] : []));
  const variables = [
    { name: `${prefix}_SERVICE_HOST`, value: target.address },
    ...first.map(({ port }) => ({ name: `${prefix}_SERVICE_PORT`, value: String(port) })),
    ...named.map(({ name, port }) => ({
      name: `${prefix}_SERVICE_PORT_${variableName(name)}`,
      value: String(port),
    })),
    ...target.ports.flatMap((port, index) => linkVariables(target, port, index === 0)),
  ];
  return variables.filter((variable) => VALID_NAME.test(variable.name));
}

/** The variables of Docker's container links, which Kubernetes keeps for compatibility. */
function linkVariables(target: Target, port: ServicePort, isFirst: boolean): EnvVar[] {
  const prefix = variableName(target.name);
  const protocol = port.protocol ?? 'TCP';
  const address = target.address.includes(':') ? `[${target.address}]` : target.address;
  const url = `${protocol.toLowerCase()}://${address}:${port.port}`;
  const portPrefix = `${prefix}_PORT_${port.port}_${protocol.toUpperCase()}`;
  return [
    ...(isFirst ? [{ name: `${prefix}_PORT`, value: url }] : []),
    { name: portPrefix, value: url },
    { name: `${portPrefix}_PROTO`, value: protocol.toLowerCase() },
    { name: `${portPrefix}_PORT`, value: String(port.port) },
    { name: `${portPrefix}_ADDR`, value: target.address },
  ];
}

function variableName(name: string): string {
  return name.replaceAll('-', '_').toUpperCase();
}
