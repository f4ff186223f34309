import { isIP } from 'node:net';
import { LINK_OPTIONS, linkOptionProblems } from '../clusterlink/planner/options.js';
import { parseHostApiAddress } from '../clustertree/cluster/host-api.js';
import { addressProblems } from '../clustertree/node/kubelet-address.js';
import { LOG_LEVELS } from '../runtime/log-level.js';
import {
  booleanOption,
  choiceOption,
  choicesOption,
  durationOption,
  integerOption,
  listOption,
  stringOption,
} from '../runtime/option-spec.js';
import { compileOptions, type OptionSources, type OptionValues } from '../runtime/options.js';

const MAX_PORT = 65535;

/** Every option of `kosmos-manager`; docs/reference/config.md is made from this table. */
export const MANAGER_OPTIONS = {
  kubeconfig: stringOption({
    help: 'Kubeconfig of the host cluster. Without it the service account of the pod is used.',
  }),
  context: stringOption({ help: 'Context of the kubeconfig, instead of its current one.' }),
  kubeletAddress: listOption({
    default: [],
    help: "IP addresses at which the host's API servers reach the kubelet API; at most one of each family.",
  }),
  kubeletService: stringOption({
    help: 'Service (`namespace/name`) whose cluster IP virtual nodes publish, when no address is given. Without both, the addresses in `POD_IPS` are published.',
  }),
  kubeletPort: integerOption({
    default: 10250,
    min: 1,
    max: 65535,
    help: 'First of the ports of the kubelet API; each virtual node has one of its own and publishes it.',
  }),
  kubeletPortCount: integerOption({
    default: 10_000,
    min: 1,
    max: 65535,
    help: 'How many ports, from the first one on, virtual nodes may have.',
  }),
  kubeletListenAddress: stringOption({
    help: 'IP address to serve the kubelet API at. Without it, all addresses of the machine.',
  }),
  kubeletServingCertificates: choiceOption(['csr', 'self-signed'], {
    default: 'csr',
    help: "Where the serving certificates of virtual nodes come from: the host's signer `kubernetes.io/kubelet-serving`, or nowhere; the latter works only with API servers that don't check them.",
  }),
  healthAddress: stringOption({ default: '0.0.0.0', help: 'Address of the server for `/healthz` and `/metrics`.' }),
  healthPort: integerOption({
    default: 8080,
    min: 0,
    max: 65535,
    help: 'Port of the server for `/healthz` and `/metrics`; 0 takes any free one.',
  }),
  leaseNamespace: stringOption({
    default: 'kosmos-system',
    help: 'Namespace of the Lease by which replicas elect a leader; it must exist.',
  }),
  leaseDurationMs: durationOption({
    default: 15_000,
    minMs: 1_000,
    help: 'How long other replicas wait after the last renewal that they saw.',
  }),
  renewDeadlineMs: durationOption({
    default: 10_000,
    minMs: 500,
    help: 'How long after the last renewal the leader may write; shorter than the lease duration.',
  }),
  retryPeriodMs: durationOption({ default: 2_000, minMs: 100, help: 'Time between attempts at the Lease.' }),
  hostQps: integerOption({ default: 200, min: 1, help: 'Requests per second to the host.' }),
  hostBurst: integerOption({ default: 400, min: 1, help: 'Requests to the host that may come at once.' }),
  memberQps: integerOption({ default: 200, min: 1, help: 'Requests per second to each member.' }),
  memberBurst: integerOption({ default: 400, min: 1, help: 'Requests to each member that may come at once.' }),
  reservedNamespaces: listOption({
    default: ['kube-system', 'kosmos-system'],
    help: 'Namespaces whose pods never run in members.',
  }),
  hostApiServer: stringOption({
    help: "`host:port` at which pods in members reach the host's API server, unless their Cluster says otherwise. Its certificate must be good for it. Without it they are given the cluster IP of `default/kubernetes`, which ClusterLink has to route.",
  }),
  tokenRenewalPercent: integerOption({
    default: 80,
    min: 1,
    max: 95,
    help: 'Part of its life after which a service account token in a member is renewed.',
  }),
  excludeExistingDaemonsets: booleanOption({
    default: false,
    help: 'Exclude DaemonSets from virtual nodes that were there before the manager; that restarts their pods.',
  }),
  allowExecCredentials: booleanOption({
    default: false,
    help: 'Let kubeconfigs of Clusters name programs to run for credentials. Whoever may write a Cluster can then run them.',
  }),
  logLevel: choiceOption(LOG_LEVELS, { default: 'info', help: 'Log lines below this level are left out.' }),
  modules: choicesOption(['clustertree', 'clusterlink'], {
    default: ['clustertree', 'clusterlink'],
    help: 'Parts of the product to run: virtual nodes and their pods, and the network between clusters.',
  }),
  ...LINK_OPTIONS,
};

export type ManagerOptions = OptionValues<typeof MANAGER_OPTIONS>;

/** Compiles the options; throws one error that lists all that is wrong with them. */
export function compileManagerOptions(sources: OptionSources): ManagerOptions {
  return compileOptions(MANAGER_OPTIONS, sources, (values) => [
    ...addressProblems(values.kubeletAddress),
    ...portProblems(values),
    ...electionProblems(values),
    ...linkOptionProblems(values),
    ...(values.hostApiServer === undefined || parseHostApiAddress(values.hostApiServer) !== undefined
      ? []
      : [`--host-api-server: "${values.hostApiServer}" is not host:port`]),
    ...(values.kubeletService === undefined || /^[^/]+\/[^/]+$/.test(values.kubeletService)
      ? []
      : [`--kubelet-service: "${values.kubeletService}" is not namespace/name`]),
  ]);
}

function portProblems({ kubeletPort, kubeletPortCount, kubeletListenAddress }: ManagerOptions): readonly string[] {
  const last = kubeletPort + kubeletPortCount - 1;
  return [
    ...(last <= MAX_PORT
      ? []
      : [`--kubelet-port-count: the last port would be ${last}, and there are only ${MAX_PORT}`]),
    ...(kubeletListenAddress === undefined || isIP(kubeletListenAddress) !== 0
      ? []
      : [`--kubelet-listen-address: "${kubeletListenAddress}" is not an IP address`]),
  ];
}

function electionProblems({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: ManagerOptions): readonly string[] {
  return [
    ...(renewDeadlineMs < leaseDurationMs ? [] : ['--renew-deadline: must be shorter than --lease-duration']),
    ...(retryPeriodMs < renewDeadlineMs ? [] : ['--retry-period: must be shorter than --renew-deadline']),
  ];
}
