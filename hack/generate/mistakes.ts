import { plain, row, type Mistake } from './mistake.js';
import { IMAGES } from './mistakes-images.js';

const KUBECONFIG = 'Give the path of a kubeconfig, with --kubeconfig or in the variable KUBECONFIG.';
const CONTEXT = 'Correct the file, or choose another of its contexts with --context.';
const TAKEN = 'Choose another --name, or take the present one out with: kosmosctl unjoin cluster';
const IMAGE = 'Import the image into the nodes, or name another with --image.';

/** On the command line itself; nothing was asked or changed. */
const WORDS = {
  'unknown-command': plain(
    2,
    'an unknown command',
    "error: unknown command 'instal'",
    'Take the one that it suggests.',
  ),
  'unknown-flag': plain(2, 'an unknown flag', "error: unknown option '--replica'", 'Take the one that it suggests.'),
  'unknown-type': plain(2, 'an unknown kind of object', "error: unknown command 'clusterz'", 'Take the suggested one.'),
  'unknown-choice': plain(2, 'a value that is none of the choices', 'Allowed choices are …', 'Take one of them.'),
  'no-name': row(2, 'no name for the member', 'error: the Cluster has no name', 'Add --name.'),
  'no-member': row(
    2,
    'no cluster to join',
    'error: which cluster is to join?',
    "Name its kubeconfig with --kubeconfig, or a context of the host's.",
  ),
  'bad-name': row(
    2,
    'a name that no Cluster can have',
    `error: "…" can't be the name of a Cluster`,
    'Use at most 56 lower-case letters, digits and dashes, beginning and ending with a letter or digit.',
  ),
  'two-names': row(2, 'two names', 'error: the Cluster has two names: a and b', 'Give one of them.'),
  'short-token': plain(
    2,
    'a token that ends too soon',
    'error: --token-lifetime: Kubernetes issues no tokens for less than 10 minutes',
    'Give a longer life.',
  ),
  'bad-time': plain(
    2,
    'a time that is none',
    'It is neither a number of seconds nor a duration such as 5m.',
    'Write seconds or a duration.',
  ),
  'two-images': plain(
    2,
    'two names for the image',
    'error: --image and --private-image-registry exclude each other',
    'Give one of them.',
  ),
  'bad-image': plain(
    2,
    'an image that can not be',
    'error: the values are not valid: image.tag: "x!y" is not a tag',
    'Correct --image or --version.',
  ),
  'no-managers': plain(
    2,
    'no managers',
    'error: the values are not valid: replicas: must be a whole number from 1 on',
    'Give a number from 1 on.',
  ),
  'too-many-ports': plain(
    2,
    'more ports than a Service has',
    'must be a whole number from 1 to 100',
    'Set kubelet.ports to fewer.',
  ),
  'no-assignment': row(
    2,
    'a setting without value',
    'error: --set replicas: is not path=value',
    'Write for instance --set replicas=1',
  ),
  'unknown-value': row(2, 'a setting that there is not', 'error: there is no value kubelet.prots', 'There are: …'),
  'wrong-type': plain(
    2,
    'a setting of the wrong type',
    'error: replicas: must be a number, not a string',
    'Give a number.',
  ),
  'values-missing': plain(
    2,
    'a file of values that is not there',
    "error: the file of values /nothing can't be read (ENOENT)",
    'Correct the path.',
  ),
  'values-no-yaml': plain(
    2,
    'a file of values that is no YAML',
    'error: the file of values: is no YAML: … at line 3, column 1',
    'Correct that line.',
  ),
  'verify-alone': row(
    2,
    '--verify without a kubeconfig',
    'error: --verify needs a kubeconfig of the member',
    'Add --kubeconfig.',
  ),
  'no-pull-secret': row(
    2,
    'a Secret for pulling the image that is nowhere',
    'error: --image-pull-secret: there is no Secret …/registry in the host',
    'Make it there with "kubectl create secret docker-registry", or in kosmos-member of the member.',
  ),
  'no-registry-secret': row(
    2,
    'a Secret for pulling the image that holds something else',
    'error: --image-pull-secret: the Secret registry is of the type Opaque, not kubernetes.io/dockerconfigjson',
    'Make it with "kubectl create secret docker-registry".',
  ),
  'nobody-agrees': row(
    2,
    'joining in a script without --yes',
    'error: nobody is there to agree to the rights',
    'Add --yes.',
  ),
} as const;

/** Kubeconfigs and API servers. */
const ACCESS = {
  'kubeconfig-missing': row(
    1,
    'a kubeconfig that is not there',
    "error: the kubeconfig of the host, …, can't be read (ENOENT)",
    KUBECONFIG,
  ),
  'kubeconfig-folder': row(
    1,
    'a kubeconfig that is a folder',
    "error: the kubeconfig of the host, …, can't be read (EISDIR)",
    KUBECONFIG,
  ),
  'kubeconfig-no-yaml': row(
    1,
    'a kubeconfig that is no YAML',
    "error: the kubeconfig of the host, …, can't be used: document: … at line 2",
    CONTEXT,
  ),
  'no-current-context': row(
    1,
    'no current context',
    "error: the kubeconfig of the host, …, can't be used: current-context: is missing",
    CONTEXT,
  ),
  'unknown-context': row(
    1,
    'a context that is not in the file',
    "error: the kubeconfig of the host, …, can't be used: contexts: has no entry of the name that is referred to",
    CONTEXT,
  ),
  'several-kubeconfigs': row(
    2,
    'several files in KUBECONFIG',
    'error: KUBECONFIG names several files',
    'Name one with --kubeconfig.',
  ),
  'refused-connection': row(
    1,
    'an API server that nobody listens at',
    "error: the API server of the host (…) can't be reached: …",
    'Check the address in the kubeconfig, the network, firewalls, and whether the server runs.',
  ),
  'no-api-server': row(
    1,
    'an address where something else answers',
    'what answers at … for the member is no API server of Kubernetes',
    'Check the address in the kubeconfig.',
  ),
  'other-authority': row(
    1,
    'a certificate of another authority',
    "error: the API server of the member (…) shows a certificate that the kubeconfig doesn't trust: …",
    "Give the right certificate-authority-data, or an address that is in the server's certificate.",
  ),
  'expired-credential': row(
    1,
    'a credential that has expired',
    "error: the API server of the member (…) doesn't accept the credential of the kubeconfig",
    'It may have expired or been withdrawn; get a new kubeconfig.',
  ),
  'no-rights': row(
    1,
    'a user without rights',
    'error: the API server of the member (…) refuses: …',
    'Use a kubeconfig that may do this, for instance of a cluster-admin.',
  ),
  'viewer-joins': row(
    1,
    'a user who may look but not change',
    'error: the kubeconfig of the member may not create clusterroles there',
    'Join with the kubeconfig of a cluster-admin of the member; it is not kept.',
  ),
} as const;

/** What the clusters are like. */
const CLUSTERS = {
  'old-host': row(
    1,
    'a host of a version that is not supported',
    'error: Look at the host cluster: the host runs Kubernetes v1.29.4, which is not supported',
    'Use Kubernetes 1.31 to 1.37.',
  ),
  'old-member': row(
    1,
    'a member of a version that is not supported',
    'error: the member runs Kubernetes v1.29.4, which is not supported',
    'Use Kubernetes 1.31 to 1.37.',
  ),
  'host-joins-itself': row(
    2,
    'the host as its own member',
    'error: host and member are the same cluster',
    'Name the member with --kubeconfig and --context, and the host with --host-kubeconfig and --host-context.',
  ),
  'name-taken': row(1, 'a name that another member has', 'error: the name member1 belongs to another member', TAKEN),
  'foreign-cluster': row(
    1,
    'a Cluster of that name that was made by hand',
    'error: there is a Cluster member2, which was not joined by this command',
    TAKEN,
  ),
  'linked-elsewhere': row(
    1,
    'a member whose network is linked by another host, or under another name',
    'error: the network of the member is linked already, as …',
    'Join with --enable-tree alone, or take the other one out first.',
  ),
  'just-leaving': row(
    1,
    'a member that is just leaving',
    'error: the Cluster member1 is just leaving',
    'Wait until it is gone: kosmosctl get clusters',
  ),
  'not-installed': row(
    1,
    'a host without Kosmos',
    'error: the API server of the host (…) knows no Clusters: Kosmos is not installed there',
    'Run "kosmosctl install", or name the host cluster with its kubeconfig or context.',
  ),
  'other-namespace': row(
    4,
    'another namespace than that of the installation',
    'no manager of Kosmos leads in the namespace elsewhere of the host',
    'Is the installation in another --namespace? Else run "kosmosctl install".',
  ),
  'namespace-going': row(
    1,
    'a namespace that is being deleted',
    'error: Apply namespace and CRDs: the namespace … is being deleted',
    'Wait until it is gone, then run the command again.',
  ),
  'quota-used-up': row(
    1,
    'a quota that is used up',
    'error: Make an identity in the member: the API server of the member (…) refuses: … exceeded quota: …',
    'Raise the quota that it names, or free some of it.',
  ),
  'no-pods-allowed': row(
    4,
    'a quota that leaves no room for the managers',
    'Wait for the managers: managers: not within …; no pod can be made: … exceeded quota: …',
    'Change what refuses it: a quota of the namespace, or an admission policy.',
  ),
  'no-image': row(4, 'an image that the nodes can not get', 'ErrImageNeverPull', IMAGE),
  'overlapping-addresses': plain(
    0,
    'pod addresses that host and member have in common, seen by `check`',
    '… of the host overlaps with … of the member',
    'Nothing, while only pods are to run there; where the networks are linked, map one of the ranges with `globalCIDRsMap`.',
  ),
  'unreachable-member': plain(
    4,
    'a member that the manager can not reach',
    'error: Wait until member2 is ready: …',
    'Name a kubeconfig with the address that the manager can use: --inner-kubeconfig.',
  ),
  'dead-member': row(
    4,
    'a member that is away when it is to leave',
    'error: Take its pods and virtual nodes out: …',
    'Wait longer with --wait-time, or give it up with --force.',
  ),
  'members-left': row(
    1,
    'uninstalling with members',
    'error: these members are still joined: …',
    'Take each out with "kosmosctl unjoin cluster", or all of them with --all.',
  ),
  'secret-missing': row(
    1,
    'a member whose Secret is gone',
    'error: the Secret kosmos-system/kosmos-member-m with the kubeconfig of m is missing',
    'Join the member again; nothing is restarted by that.',
  ),
  'no-such-cluster': row(
    1,
    'a member that there is not',
    'error: there is no Cluster "nobody"',
    'See: kosmosctl get clusters',
  ),
  'nobody-agrees-to-changes': row(
    2,
    'upgrading in a script without --yes',
    'error: nobody is there to agree to the changes',
    'Add --yes.',
  ),
  'nothing-to-adopt': row(
    1,
    'adopting where there is no Kosmos',
    'error: Look at host and members: the host knows no Clusters, so that there is nothing to adopt',
    'Name the host cluster with its kubeconfig or context, or begin with "kosmosctl install".',
  ),
  'nobody-agrees-to-adoption': row(
    2,
    'adopting in a script without --yes',
    'error: nobody is there to agree to the adoption',
    'Add --yes.',
  ),
  'component-stays': row(
    4,
    'a component of Kosmos in Go that does not end',
    'error: Stop Deployment kosmos-system/clustertree-cluster-manager of host: …: not within … s; pod … is still there',
    'Look why it does not end, then run the command again.',
  ),
  'former-runs': row(
    1,
    'installing beside a Kosmos in Go that runs',
    'error: Look at the host cluster: Kosmos in Go still runs here: Deployment …',
    'Take over what it has made first: kosmosctl adopt',
  ),
  'stored-version': row(
    1,
    'going back behind a version of a CRD that objects are stored in',
    'error: the host has stored clusters.kosmos.io in version v1beta1, which Kosmos 0.1.0 does not know',
    'Use a kosmosctl that is at least as new as what is installed.',
  ),
  'nothing-to-upgrade': row(
    1,
    'upgrading what is not installed',
    'error: Kosmos is not installed in the namespace kosmos-system of the host',
    'Name its --namespace, or run "kosmosctl install".',
  ),
  'no-such-service': row(
    1,
    'a Service that is not in that namespace',
    'error: there is no Service web in the namespace default of the host',
    'Name its namespace with --namespace.',
  ),
  'crd-missing': row(
    1,
    'a cluster without the CRDs of multi-cluster services',
    'error: the host knows no ServiceExport (multicluster.x-k8s.io): its CRD is missing',
    'Install the CRDs and a controller of the multi-cluster services API there; Kosmos brings neither yet.',
  ),
  'import-forbidden': row(
    1,
    "importing with the managers' identity",
    'error: the API server of the member m (…) refuses: …',
    "The managers' identity may not do this; name a kubeconfig of the member with --to-kubeconfig.",
  ),
  'no-such-pod': row(
    1,
    'a pod that is not in that namespace',
    'error: there is no pod web in the namespace kosmos-system of the host',
    'Name its namespace with --namespace, or the member with --cluster.',
  ),
  'no-such-container': row(
    1,
    'a container that the pod does not have',
    'error: the pod has no container z',
    'It has: …',
  ),
  interrupted: plain(
    130,
    'Ctrl-C at any step',
    'interrupted; run the command again to go on',
    'Run it again. What a join had done was taken back.',
  ),
} as const;

/** Each under the name that tests call it by. */
export const MISTAKES = { ...WORDS, ...ACCESS, ...CLUSTERS, ...IMAGES };

export type MistakeName = keyof typeof MISTAKES;

const SECTIONS: readonly (readonly [title: string, rows: Readonly<Record<string, Mistake>>])[] = [
  ['On the command line', WORDS],
  ['Kubeconfigs and API servers', ACCESS],
  ['The clusters', CLUSTERS],
  ['Images and registries', IMAGES],
];

/** The tables of docs/reference/mistakes.md. */
export function renderMistakes(): string {
  return SECTIONS.map(([title, rows]) => [`## ${title}`, '', ...renderRows(Object.values(rows)), ''].join('\n')).join(
    '\n',
  );
}

function renderRows(rows: readonly Mistake[]): readonly string[] {
  const lines = rows.map(
    ({ mistake, says, cure, code }) => `| ${mistake} | \`${says.replaceAll('|', '\\|')}\` | ${cure} | ${code} |`,
  );
  return ['| What was wrong | What it says | What to do | Exit code |', '| --- | --- | --- | --- |', ...lines];
}
