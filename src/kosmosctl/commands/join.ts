import type { LeafModel } from '../../apis/kosmos/v1alpha1/cluster.js';
import { ApiError, isNotFound } from '../../kube/api-error.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { namespaces, nodes, secrets, tokenRequests } from '../../kube/resource.js';
import { Secret } from '../../kube/secret.js';
import { renderTokenKubeconfig, type ServerAccess } from '../../kube/token-kubeconfig.js';
import type { CliContext } from '../context.js';
import { CliError, EXIT } from '../failure.js';
import { clusterManifest, credentialName, credentialSecret, leafModelPerNode } from '../join/host-objects.js';
import {
  identityManifests,
  identityName,
  identityNamespace,
  identityRights,
  identityRole,
  type MemberIdentity,
} from '../join/identity.js';
import { lookAtBoth, type JoinFacts } from '../join/preflight.js';
import { readinessOf } from '../join/readiness.js';
import { UndoStack } from '../join/undo.js';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../managed-by.js';
import { applyObject, clusterRoles, deleteObject, findObject } from '../objects.js';
import { renderRights } from '../output/rights.js';
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
  readonly leafModel: 'one-to-cluster' | 'one-to-one';
  readonly kubeletStats: boolean;
  readonly keepNamespaces: boolean;
  readonly hostApiServer: string | undefined;
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
    const identity = { cluster: options.name, hostUid: facts.hostUid, namespace: options.memberNamespace };
    await agreeOnRights(identity, options, context);
    const join = new Join({ options, context, host, member, server, facts, identity });
    await join.run();
  });
  const next = `kubectl get nodes, or: kosmosctl get nodes --cluster ${options.name}`;
  context.terminal.err(`\nThe member ${options.name} has joined. See its virtual nodes with:\n  ${next}\n`);
}

async function agreeOnRights(identity: MemberIdentity, options: JoinOptions, { terminal }: CliContext): Promise<void> {
  if (options.yes) return;
  const features = { kubeletStats: options.kubeletStats, removeNamespaces: !options.keepNamespaces };
  terminal.err(`The manager gets these rights in the member ${options.name}:\n\n`);
  terminal.err(renderRights(identityRights(identity, features)));
  if (!terminal.interactive) {
    throw new CliError('nobody is there to agree to the rights', { cure: 'Add --yes.', exitCode: EXIT.usage });
  }
  if (!(await terminal.confirm('\nGrant them?'))) {
    throw new CliError('the rights were not granted; nothing was changed', { exitCode: EXIT.interrupted });
  }
}

interface JoinParts {
  readonly options: JoinOptions;
  readonly context: CliContext;
  readonly host: ClusterSession;
  readonly member: ClusterSession;
  readonly server: ServerAccess;
  readonly facts: JoinFacts;
  readonly identity: MemberIdentity;
}

/** The steps of one joining. */
class Join {
  readonly #parts: JoinParts;
  readonly #undo = new UndoStack();
  #isRoleKnown = false;
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
    const { options } = this.#parts;
    const title = `Wait until ${options.name} is ready`;
    return [
      { title: 'Make an identity in the member', run: (report) => this.#makeIdentity(report) },
      { title: 'Keep its token in the host', run: () => this.#keepToken() },
      { title: 'Register the member', run: () => this.#register() },
      ...(options.waitMs === 0 ? [] : [{ title, run: (report: (detail: string) => void) => this.#wait(report) }]),
    ];
  }

  /** What an earlier identity has left may just be going; then the new one has to wait. */
  #makeIdentity(report: (detail: string) => void): Promise<string> {
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
    const { member, identity, options, context } = this.#parts;
    const { signal } = context;
    const { client } = member;
    const name = identityName(identity);
    if (!this.#isRoleKnown && (await findObject(client, clusterRoles, { name }, signal)) === undefined) {
      this.#undo.add(`ClusterRole ${name} in the member`, (late) => deleteObject(client, clusterRoles, { name }, late));
    }
    this.#isRoleKnown = true;
    const features = { kubeletStats: options.kubeletStats, removeNamespaces: !options.keepNamespaces };
    const role = await applyObject(client, identityRole(identity, features), { signal });
    const uid = role.metadata?.uid ?? '';
    const namespace = await findObject(client, namespaces, { name: identity.namespace }, signal);
    // One that somebody else made doesn't go with the identity.
    if (namespace === undefined || namespace.metadata?.labels?.[MANAGED_BY_LABEL] === MANAGED_BY) {
      await applyObject(client, identityNamespace(identity, uid), { signal, fieldManager: `kosmosctl-${name}` });
    }
    for (const manifest of identityManifests(identity, uid)) await applyObject(client, manifest, { signal });
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
    const { host, options, facts, context } = this.#parts;
    const { signal } = context;
    if (!facts.isRegistered) {
      this.#undo.add(`Cluster ${options.name} in the host`, (late) => this.#unregister(late));
    }
    const { name, namespace, kubeletStats, hostApiServer } = options;
    const leafModels = await this.#leafModels();
    const manifest = clusterManifest({ name, namespace, leafModels, kubeletStats, hostApiServer });
    await applyObject(host.client, manifest, { signal });
    return undefined;
  }

  async #leafModels(): Promise<readonly LeafModel[]> {
    const { member, options, context } = this.#parts;
    if (options.leafModel === 'one-to-cluster') return [];
    return leafModelPerNode((await member.client.list(nodes, { signal: context.signal })).items);
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

  #wait(report: (detail: string) => void): Promise<string> {
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
