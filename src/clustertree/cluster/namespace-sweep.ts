import type { Namespace } from '../../apis/core.js';
import { FIELD_MANAGER } from '../../apis/names.js';
import { isNotFound } from '../../kube/api-error.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { claims, namespaces, type ObjectKey } from '../../kube/resource.js';
import type { Reconciler, Result } from '../../runtime/controller.js';
import type { Member } from './member.js';
import { removeNamespace } from './namespace-removal.js';
import { namespacePatch } from './namespaces.js';
import { isOwned, ownedSelector } from './ownership.js';

export interface NamespaceSweepOptions {
  readonly member: Member;
  readonly host: KubeClient;
  readonly hostNamespaces: Informer<Namespace>;
  /** Called when a namespace has to stay because of what others put into it. */
  readonly report: (message: string) => void;
}

const PODS_LEFT_RETRY_MS = 5_000;
const FOREIGN_RETRY_MS = 10 * 60_000;

/**
 * Keeps the namespaces that we made in a member in step with the host: their Pod Security labels while the host has the
 * namespace, and their removal once it is gone there.
 */
export class NamespaceSweep implements Reconciler {
  readonly #options: NamespaceSweepOptions;

  constructor(options: NamespaceSweepOptions) {
    this.#options = options;
  }

  async reconcile(name: ObjectKey, context: { readonly signal: AbortSignal }): Promise<Result> {
    const { member, hostNamespaces } = this.#options;
    const present = member.namespaces.store.get(name);
    if (present === undefined || present.metadata?.deletionTimestamp !== undefined) return {};
    if (!isOwned(present, member.ownership) || !hostNamespaces.hasSynced || !member.pods.hasSynced) return {};
    const hostNamespace = hostNamespaces.store.get(name);
    if (hostNamespace === undefined) return this.#remove(present, name, context.signal);
    const patch = namespacePatch(present, hostNamespace, member.ownership);
    if (patch !== undefined) {
      const options = { type: 'merge', fieldManager: FIELD_MANAGER, signal: context.signal } as const;
      member.namespaces.assume(await member.client.patch(namespaces, { name }, patch, options));
    }
    return {};
  }

  async #remove(present: Namespace, name: string, signal: AbortSignal): Promise<Result> {
    const { member, host, report } = this.#options;
    const prefix = `${name}/`;
    if ([...member.pods.store.keys()].some((key) => key.startsWith(prefix)))
      return { requeueAfterMs: PODS_LEFT_RETRY_MS };
    // Claims are removed one by one, each as its reclaim policy says.
    const selector = { namespace: name, labelSelector: ownedSelector(member.ownership), limit: 1, signal };
    if ((await member.client.list(claims, selector)).items.length > 0) return { requeueAfterMs: PODS_LEFT_RETRY_MS };
    try {
      await host.get(namespaces, { name }, { signal });
      return { requeueAfterMs: PODS_LEFT_RETRY_MS };
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
    const foreign = await removeNamespace(member, present, signal);
    if (foreign === undefined) return {};
    report(`namespace ${name} stays in the member: it holds ${foreign}`);
    return { requeueAfterMs: FOREIGN_RETRY_MS };
  }
}
