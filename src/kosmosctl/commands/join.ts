import type { Secret as KubeSecret } from '../../apis/core.js';
import type { ClusterLinkOptions } from '../../apis/kosmos/v1alpha1/cluster.js';
import { ApiError, isNotFound } from '../../kube/api-error.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { namespaces, nodes, secrets, tokenRequests } from '../../kube/resource.js';
import { Secret } from '../../kube/secret.js';
import { renderTokenKubeconfig, type ServerAccess } from '../../kube/token-kubeconfig.js';
import type { CliContext } from '../context.js';
import { CliError } from '../failure.js';
import { memberAgents, memberCrd, NODE_CONFIG_CRD } from '../join/agents.js';
import {
  clusterManifest,
  credentialName,
  credentialSecret,
  leafModelPerNode,
  type TreeWish,
} from '../join/host-objects.js';
import {
  identityManifests,
  identityName,
  identityNamespace,
  identityRights,
  identityRole,
  type MemberIdentity,
} from '../join/identity.js';
import { readInstallation } from '../join/installation.js';
import { checkNetwork } from '../join/link-preflight.js';
import { chooseModules, type ModuleFlags, type Modules } from '../join/modules.js';
import { lookAtBoth, type JoinFacts } from '../join/preflight.js';
import { findPullSecrets, pullSecretCopy } from '../join/pull-secrets.js';
import { linkReadinessOf, readinessOf } from '../join/readiness.js';
import { UndoStack } from '../join/undo.js';
import { isManaged } from '../managed-by.js';
import { splitImage, type ImageName } from '../manifests/image-name.js';
import { AGENT } from '../manifests/labels.js';
import { DEFAULT_VALUES } from '../manifests/values.js';
import { applyObject, clusterRoles, customResourceDefinitions, deleteObject, findObject } from '../objects.js';
import { requireAgreement } from '../output/agreement.js';
import { renderRights } from '../output/rights.js';
import { AGENT_NAMESPACE_RIGHTS, AGENT_RIGHTS } from '../rights/agent-rights.js';
import type { MemberFeatures } from '../rights/member-rights.js';
import { runSteps, type Step } from '../output/steps.js';
import { openSession, readAccess, withSessions, type ClusterChoice, type ClusterSession } from '../session.js';
import { waitUntil, type Probed } from '../wait.js';

export interface JoinOptions {
  readonly name: string;
  readonly member: ClusterChoice;
  readonly host: ClusterChoice;
  /** Kubeconfig whose server the manager uses instead of that of the member's. */
  readonly innerKubeconfig: string | undefined;
  /** Of the installation in the host; the Secret is kept there. */
  readonly namespace: string;
  readonly memberNamespace: string;
  readonly modules: ModuleFlags;
  readonly leafModel: 'one-to-cluster' | 'one-to-one';
  readonly kubeletStats: boolean;
  readonly keepNamespaces: boolean;
  readonly hostApiServer: string | undefined;
  /** How its network is to be linked, if it is. */
  readonly link: ClusterLinkOptions;
  /** Of the agents; that of the managers when undefined. */
  readonly image: string | undefined;
  /** Secrets with which nodes pull it. */
  readonly imagePullSecrets: readonly string[];
  readonly agentStateDir: string;
  /** Life of the token that the manager gets; it renews it long before. */
  readonly tokenLifetimeMs: number;
  /** How long to wait until the member is ready; 0 doesn't wait. */
  readonly waitMs: number;
  /** Grant the rights without asking. */
  readonly yes: boolean;
}

const UNDO_LIMIT_MS = 60_000;
const IDENTITY_LIMIT_MS = 60_000;

/** Makes a member cluster a part of the federation. What it has done is taken back when it fails. */
export async function joinCluster(options: JoinOptions, context: CliContext): Promise<void> {
  const host = openSession('host', readAccess('host', options.host, context));
  const member = openSession('member', readAccess('member', options.member, context));
  const { innerKubeconfig: kubeconfig } = options;
  const server =
    kubeconfig === undefined ? member.access : readAccess('member, as the manager sees it,', { kubeconfig }, context);
  await withSessions([host, member], async () => {
    const facts = await lookAtBoth(host, member, options, context);
    const { hostUid } = facts;
    const identity = { cluster: options.name, hostUid, namespace: options.memberNamespace };
    const installation = await readInstallation(host, options.namespace, context.signal);
    const modules = chooseModules(options.modules, installation?.modules);
    const { signal } = context;
    const { globalCIDRsMap: globalCidrs = {} } = options.link;
    if (modules.link) await checkNetwork(host, member, identity, { globalCidrs, signal });
    const features = featuresOf(modules, options);
    const toCopy = modules.link ? await findPullSecrets(host, member, options, signal) : [];
    await agreeOnRights(identity, features, options, context);
    const image = splitImage(options.image ?? installation?.image ?? DEFAULT_IMAGE + context.version);
    const join = new Join({
      options,
      context,
      host,
      member,
      server,
      facts,
      identity,
      modules,
      features,
      image,
      toCopy,
    });
    await join.run();
    context.terminal.err(nextSteps(options.name, modules));
  });
}

const DEFAULT_IMAGE = `${DEFAULT_VALUES.image.repository}:`;

function nextSteps(name: string, { tree }: Modules): string {
  const joined = `\nThe member ${name} has joined.`;
  if (!tree) return `${joined} See its nodes with:\n  kubectl get clusternodes\n`;
  return `${joined} See its virtual nodes with:\n  kubectl get nodes, or: kosmosctl get nodes --cluster ${name}\n`;
}

function featuresOf({ tree, link }: Modules, options: JoinOptions): MemberFeatures {
  const { kubeletStats, keepNamespaces } = options;
  const cni = options.link.cni ?? 'calico';
  return { tree, link: link ? { cni } : undefined, kubeletStats, removeNamespaces: !keepNamespaces };
}

async function agreeOnRights(
  identity: MemberIdentity,
  features: MemberFeatures,
  options: JoinOptions,
  { terminal }: CliContext,
): Promise<void> {
  if (options.yes) return;
  terminal.err(`The manager gets these rights in the member ${options.name}:\n\n`);
  terminal.err(renderRights(identityRights(identity, features)));
  if (features.link !== undefined) {
    terminal.err(`\nAgents run on all nodes, in the node's network with the right to change it, and get these:\n\n`);
    terminal.err(renderRights(AGENT_RIGHTS));
    terminal.err(`\nand in their own namespace, ${identity.namespace}:\n\n`);
    terminal.err(renderRights(AGENT_NAMESPACE_RIGHTS));
  }
  await requireAgreement(terminal, {
    ...{ to: 'the rights', question: 'Grant them?' },
    refused: 'the rights were not granted; nothing was changed',
  });
}

interface JoinParts {
  readonly options: JoinOptions;
  readonly context: CliContext;
  readonly host: ClusterSession;
  readonly member: ClusterSession;
  readonly server: ServerAccess;
  readonly facts: JoinFacts;
  readonly identity: MemberIdentity;
  readonly modules: Modules;
  readonly features: MemberFeatures;
  readonly image: ImageName;
  /** Secrets of the host that agents pull it with. */
  readonly toCopy: readonly KubeSecret[];
}

type Report = (detail: string) => void;

/** The steps of one joining. */
class Join {
  readonly #parts: JoinParts;
  readonly #undo = new UndoStack();
  #isRoleKnown = false;
  #roleUid = '';
  #token = new Secret('');

  constructor(parts: JoinParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    try {
      await runSteps(this.#parts.context, this.#steps());
    } catch (error) {
      const left = await this.#undo.run(AbortSignal.timeout(UNDO_LIMIT_MS));
      if (left.length === 0 || !(error instanceof CliError)) throw error;
      const { message, cure, exitCode } = error;
      throw new CliError(`${message}; and this could not be undone: ${left.join('; ')}`, {
        cure,
        exitCode,
        cause: error,
      });
    }
  }

  #steps(): readonly Step[] {
    const { options, modules } = this.#parts;
    const { name } = options;
    const waits: readonly Step[] = [
      ...(modules.tree ? [{ title: `Wait until ${name} is ready`, run: (report: Report) => this.#wait(report) }] : []),
      ...(modules.link
        ? [{ title: `Wait until the network of ${name} is linked`, run: (report: Report) => this.#waitForLink(report) }]
        : []),
    ];
    return [
      { title: 'Make an identity in the member', run: (report) => this.#makeIdentity(report) },
      { title: 'Keep its token in the host', run: () => this.#keepToken() },
      ...(modules.link ? [{ title: 'Start agents on its nodes', run: () => this.#startAgents() }] : []),
      { title: 'Register the member', run: () => this.#register() },
      ...(options.waitMs === 0 ? [] : waits),
    ];
  }

  /** What an earlier identity has left may just be going; then the new one has to wait. */
  #makeIdentity(report: Report): Promise<string> {
    const { identity, context } = this.#parts;
    const { signal, clock } = context;
    const probe = async (): Promise<Probed<string>> => {
      try {
        await this.#applyIdentity();
        this.#token = await this.#issueToken();
        return { found: `service account ${identity.namespace}/${identityName(identity)}` };
      } catch (error) {
        if (!isJustGoing(error)) throw error;
        return { pending: `what is left of an earlier identity in ${identity.namespace} is just going` };
      }
    };
    return waitUntil('the identity', probe, report, { clock, signal, timeoutMs: IDENTITY_LIMIT_MS });
  }

  async #applyIdentity(): Promise<void> {
    const { member, identity, features, context } = this.#parts;
    const { signal } = context;
    const { client } = member;
    const name = identityName(identity);
    if (!this.#isRoleKnown && (await findObject(client, clusterRoles, { name }, signal)) === undefined) {
      this.#undo.add(`ClusterRole ${name} in the member`, (late) => deleteObject(client, clusterRoles, { name }, late));
    }
    this.#isRoleKnown = true;
    const role = await applyObject(client, identityRole(identity, features), { signal });
    const uid = role.metadata?.uid ?? '';
    this.#roleUid = uid;
    const namespace = await findObject(client, namespaces, { name: identity.namespace }, signal);
    // One that somebody else made doesn't go with the identity.
    if (namespace === undefined || isManaged(namespace)) {
      await applyObject(client, identityNamespace(identity, uid), { signal, fieldManager: `kosmosctl-${name}` });
    }
    for (const manifest of identityManifests(identity, features, uid)) await applyObject(client, manifest, { signal });
  }

  async #issueToken(): Promise<Secret> {
    const { member, identity, options, context } = this.#parts;
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { namespace: identity.namespace, name: identityName(identity) },
      spec: { audiences: [], expirationSeconds: Math.round(options.tokenLifetimeMs / 1000) },
    };
    const { signal } = context;
    const { status } = await member.client.create(tokenRequests, request, { subresource: 'token', signal });
    return new Secret(status?.token ?? '');
  }

  async #keepToken(): Promise<string> {
    const { host, server, options, facts, context } = this.#parts;
    const { signal } = context;
    const kubeconfig = renderTokenKubeconfig(options.name, server, this.#token);
    const { namespace } = options;
    const ref = { namespace, name: credentialName(options.name) };
    if (!facts.hasCredential) {
      this.#undo.add(`Secret ${namespace}/${ref.name} in the host`, (late) =>
        deleteObject(host.client, secrets, ref, late),
      );
    }
    const secret = credentialSecret({
      ...{
        cluster: options.name,
        namespace,
        memberUid: facts.memberUid,
        kubeconfig,
      },
    });
    await applyObject(host.client, secret, { signal });
    return `Secret ${namespace}/${ref.name}`;
  }

  async #register(): Promise<undefined> {
    const { host, options, facts, modules, context } = this.#parts;
    const { signal } = context;
    if (!facts.isRegistered) {
      this.#undo.add(`Cluster ${options.name} in the host`, (late) => this.#unregister(late));
    }
    const { name, namespace } = options;
    const link = modules.link ? options.link : undefined;
    const manifest = clusterManifest({ name, namespace, tree: modules.tree ? await this.#tree() : undefined, link });
    await applyObject(host.client, manifest, { signal });
    return undefined;
  }

  async #tree(): Promise<TreeWish> {
    const { member, options, context } = this.#parts;
    const { leafModel, kubeletStats, hostApiServer } = options;
    const { signal } = context;
    const leafModels =
      leafModel === 'one-to-cluster' ? [] : leafModelPerNode((await member.client.list(nodes, { signal })).items);
    return { leafModels, kubeletStats, hostApiServer };
  }

  /** They belong to the role, as the rest of the identity does. */
  async #startAgents(): Promise<string> {
    const { member, identity, image, toCopy, options, context } = this.#parts;
    const { signal, version } = context;
    const { client } = member;
    const ref = { name: NODE_CONFIG_CRD };
    const crd = context.crds().find(({ metadata }) => metadata?.name === ref.name);
    if (crd === undefined) throw new CliError(`the CRD ${ref.name} is missing in this program`);
    const present = await findObject(client, customResourceDefinitions, ref, signal);
    const roleUid = this.#roleUid;
    // Each identity is an owner by itself.
    const fieldManager = `kosmosctl-${identityName(identity)}`;
    await applyObject(client, memberCrd(crd, present, { identity, roleUid }), { signal, fieldManager });
    for (const secret of toCopy) {
      await applyObject(client, pullSecretCopy(secret, identity, roleUid), { signal, fieldManager });
    }
    const settings = { image, pullSecrets: options.imagePullSecrets, version, stateDir: options.agentStateDir };
    for (const manifest of memberAgents(identity, roleUid, settings)) await applyObject(client, manifest, { signal });
    return `DaemonSet ${identity.namespace}/${AGENT}`;
  }

  #waitForLink(report: Report): Promise<string> {
    const { host, options, context } = this.#parts;
    const { signal, clock } = context;
    const probe = async () => linkReadinessOf(await host.client.get(clusters, { name: options.name }, { signal }));
    const what = `the network of ${options.name}`;
    return waitUntil(what, probe, report, { clock, signal, timeoutMs: options.waitMs });
  }

  /** The identity must stay until the manager has cleaned up with it. */
  async #unregister(signal: AbortSignal): Promise<void> {
    const { host, options, context } = this.#parts;
    const ref = { name: options.name };
    if (!(await deleteObject(host.client, clusters, ref, signal))) return;
    const probe = async () =>
      (await findObject(host.client, clusters, ref, signal)) === undefined
        ? { found: true }
        : { pending: 'the manager is still taking it out' };
    const { clock } = context;
    await waitUntil('the Cluster is gone', probe, () => undefined, { clock, signal, timeoutMs: UNDO_LIMIT_MS });
  }

  #wait(report: Report): Promise<string> {
    const { host, server, options, context } = this.#parts;
    const { signal, clock } = context;
    const probe = async () => {
      const cluster = await host.client.get(clusters, { name: options.name }, { signal });
      const { items } = await host.client.list(nodes, { labelSelector: 'kosmos.io/node=true', signal });
      return readinessOf(cluster, items, server.server);
    };
    return waitUntil(options.name, probe, report, { clock, signal, timeoutMs: options.waitMs });
  }
}

/** The namespace, or the service account in it, was deleted between two requests or is being so. */
function isJustGoing(error: unknown): boolean {
  if (isNotFound(error)) return true;
  return (
    error instanceof ApiError && error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true
  );
}
