import type { Namespace } from '../../apis/core.js';
import { FIELD_MANAGER, HOST_UID_ANNOTATION } from '../../apis/names.js';
import { isAlreadyExists } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { namespaces, serviceAccounts } from '../../kube/resource.js';
import { FederationError } from '../../lib/errors.js';
import { hostUidOf, isOwned, ownershipLabels, type Ownership } from './ownership.js';

/** Labels of the host's namespace that mean the same in the member. */
const COPIED_LABEL_PREFIX = 'pod-security.kubernetes.io/';

/** Keeps of a member namespace what we ask it for. */
export function trimNamespace(namespace: Namespace): Namespace {
  const { name, uid, resourceVersion, deletionTimestamp, labels, annotations } = namespace.metadata ?? {};
  const hostUid = annotations?.[HOST_UID_ANNOTATION];
  return {
    metadata: {
      name,
      uid,
      resourceVersion,
      deletionTimestamp,
      labels,
      annotations: hostUid === undefined ? undefined : { [HOST_UID_ANNOTATION]: hostUid },
    },
  };
}

/** The member's namespace for a host namespace. */
export function desiredNamespace(hostNamespace: Namespace, ownership: Ownership): Namespace {
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: hostNamespace.metadata?.name,
      labels: { ...copiedLabels(hostNamespace), ...ownershipLabels(ownership) },
      annotations: { [HOST_UID_ANNOTATION]: hostNamespace.metadata?.uid ?? '' },
    },
  };
}

/** A merge patch that brings the copied labels up to date; undefined when they are, or when the namespace isn't ours. */
export function namespacePatch(actual: Namespace, hostNamespace: Namespace, ownership: Ownership): object | undefined {
  if (!isOwned(actual, ownership)) return undefined;
  const wanted = copiedLabels(hostNamespace);
  const present = copiedLabels(actual);
  const labels: Record<string, string | null> = {};
  for (const key of Object.keys(present)) if (!(key in wanted)) labels[key] = null;
  for (const [key, value] of Object.entries(wanted)) if (present[key] !== value) labels[key] = value;
  const uid = hostNamespace.metadata?.uid ?? '';
  const annotations = hostUidOf(actual) === uid ? undefined : { [HOST_UID_ANNOTATION]: uid };
  if (Object.keys(labels).length === 0 && annotations === undefined) return undefined;
  return { metadata: { uid: actual.metadata?.uid, labels, annotations } };
}

function copiedLabels(namespace: Namespace): Record<string, string> {
  const entries = Object.entries(namespace.metadata?.labels ?? {});
  return Object.fromEntries(entries.filter(([key]) => key.startsWith(COPIED_LABEL_PREFIX)));
}

export interface MemberNamespacesOptions {
  readonly client: KubeClient;
  /** The member's namespaces. */
  readonly informer: Informer<Namespace>;
  readonly ownership: Ownership;
}

/** Makes the namespaces that pods need in one member; the 2nd to Nth pod of a namespace costs no call. */
export class MemberNamespaces {
  readonly #options: MemberNamespacesOptions;
  readonly #inFlight = new Map<string, Promise<void>>();

  constructor(options: MemberNamespacesOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the member has the namespace and a default service account in it. Callers share what is under way, so
   * all of them have to give the signal of the same term.
   */
  async ensure(hostNamespace: Namespace, signal: AbortSignal): Promise<void> {
    const name = hostNamespace.metadata?.name ?? '';
    const present = this.#options.informer.store.get(name);
    if (present?.metadata?.deletionTimestamp !== undefined) {
      throw new FederationError('API_ERROR', `namespace ${name} is being deleted in the member`);
    }
    if (present !== undefined && namespacePatch(present, hostNamespace, this.#options.ownership) === undefined) return;
    let pending = this.#inFlight.get(name);
    if (pending === undefined) {
      pending = this.#make(hostNamespace, present, signal).finally(() => this.#inFlight.delete(name));
      this.#inFlight.set(name, pending);
    }
    await pending;
  }

  async #make(hostNamespace: Namespace, present: Namespace | undefined, signal: AbortSignal): Promise<void> {
    const { client, informer, ownership } = this.#options;
    const name = hostNamespace.metadata?.name ?? '';
    const options = { fieldManager: FIELD_MANAGER, signal } as const;
    if (present !== undefined) {
      const patch = namespacePatch(present, hostNamespace, ownership);
      informer.assume(await client.patch(namespaces, { name }, patch, { ...options, type: 'merge' }));
      return;
    }
    try {
      const wanted = desiredNamespace(hostNamespace, ownership);
      informer.assume(await client.create(namespaces, wanted, options));
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      informer.assume(await client.get(namespaces, { name }, { signal }));
    }
    await this.#makeDefaultServiceAccount(name, signal);
  }

  /** The member's own controller makes it a moment later; a pod created before that is refused by admission. */
  async #makeDefaultServiceAccount(namespace: string, signal: AbortSignal): Promise<void> {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: 'default' } };
    try {
      await this.#options.client.create(serviceAccounts, account, { fieldManager: FIELD_MANAGER, signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
  }
}
