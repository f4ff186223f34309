import type { LabApi } from '../lab/api.js';
import { countBy, type Counts } from './prometheus.js';

/**
 * API servers count requests by verb and resource, but not by who sent them. They do count requests by FlowSchema,
 * and a FlowSchema selects by user, verb and resource: with one for each kind of call of the manager's user, their
 * metrics tell exactly what the manager called, whatever else runs in the cluster.
 */
interface CallKind {
  readonly verb: string;
  readonly resource: string;
  readonly groups: readonly string[];
}

const kind = (verb: string, resource: string, ...groups: string[]): CallKind => ({ verb, resource, groups });

const KINDS: readonly CallKind[] = [
  ...['create', 'delete', 'patch', 'update', 'get', 'list'].map((verb) => kind(verb, 'pods', '')),
  ...['patch', 'update', 'get'].map((verb) => kind(verb, 'pods/status', '')),
  ...['create', 'patch'].map((verb) => kind(verb, 'events', '', 'events.k8s.io')),
  ...['configmaps', 'secrets', 'serviceaccounts'].flatMap((resource) =>
    ['create', 'delete', 'patch', 'update', 'get', 'list'].map((verb) => kind(verb, resource, '')),
  ),
  kind('create', 'serviceaccounts/token', ''),
];

const PREFIX = 'bench-';
const OTHER = `${PREFIX}other`;
const FLOW_SCHEMAS = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';
/** Before all of the API server's own. */
const FIRST_PRECEDENCE = 2;

function nameOf({ verb, resource }: CallKind): string {
  return `${PREFIX}${verb}-${resource.replace('/', '-')}`;
}

/** The FlowSchemas that tell the calls of a user apart. */
export function flowSchemas(user: string): object[] {
  const everywhere = { namespaces: ['*'], clusterScope: true };
  const subjects = [{ kind: 'User', user: { name: user } }];
  const schema = (name: string, precedence: number, rule: object): object => ({
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    kind: 'FlowSchema',
    metadata: { name },
    spec: {
      priorityLevelConfiguration: { name: 'workload-high' },
      matchingPrecedence: precedence,
      distinguisherMethod: { type: 'ByUser' },
      rules: [{ subjects, ...rule }],
    },
  });
  const ofKind = (call: CallKind, index: number): object => {
    const { verb, resource, groups } = call;
    const rule = { resourceRules: [{ ...everywhere, verbs: [verb], apiGroups: groups, resources: [resource] }] };
    return schema(nameOf(call), FIRST_PRECEDENCE + index, rule);
  };
  const rest = {
    resourceRules: [{ ...everywhere, verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  };
  return [...KINDS.map(ofKind), schema(OTHER, FIRST_PRECEDENCE + KINDS.length, rest)];
}

/** Makes the FlowSchemas of a user in a cluster. */
export async function createFlowSchemas(api: LabApi, user: string): Promise<void> {
  for (const body of flowSchemas(user)) await api.json('POST', FLOW_SCHEMAS, { body });
}

/** What that user has called so far, as `verb resource`, from the API server's metrics. */
export function callsOfUser(metrics: string): Counts {
  const titles = new Map([...KINDS.map((call) => [nameOf(call), `${call.verb} ${call.resource}`] as const)]);
  return countBy(metrics, 'apiserver_flowcontrol_dispatched_requests_total', ({ flow_schema: name = '' }) =>
    name === OTHER ? 'other' : titles.get(name),
  );
}

/** What anybody has called so far that concerns pods, as `VERB resource`; watches are left out. */
export function callsOfAll(metrics: string): Counts {
  return countBy(metrics, 'apiserver_request_total', ({ verb = '', resource = '', subresource = '' }) => {
    if (resource !== 'pods' || verb === 'WATCH' || verb === 'CONNECT') return undefined;
    return `${verb} ${subresource === '' ? resource : `${resource}/${subresource}`}`;
  });
}
