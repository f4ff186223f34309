import type { KubeObject } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Informer } from '../../kube/informer.js';
import { priorityClasses, runtimeClasses } from '../../kube/resource.js';

/** Names of classes in a member that pods refer to. Undefined while they are not known, for want of rights perhaps. */
export interface ClassNames {
  readonly priorityClasses: ReadonlySet<string> | undefined;
  readonly runtimeClasses: ReadonlySet<string> | undefined;
}

/** Keeps the names of a member's PriorityClasses and RuntimeClasses. */
export class MemberClasses {
  readonly #priority: Informer<KubeObject>;
  readonly #runtime: Informer<KubeObject>;

  constructor(cluster: string, client: KubeClient, createInformer: InformerFactory) {
    const settings = { cluster, client, transform: nameOnly };
    this.#priority = createInformer({ ...settings, type: priorityClasses });
    this.#runtime = createInformer({ ...settings, type: runtimeClasses });
  }

  get names(): ClassNames {
    return { priorityClasses: namesIn(this.#priority), runtimeClasses: namesIn(this.#runtime) };
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#priority.run(signal), this.#runtime.run(signal)]);
  }

  /** To be called when the member answers again. */
  reconnect(): void {
    this.#priority.reconnect();
    this.#runtime.reconnect();
  }
}

function namesIn(informer: Informer<KubeObject>): ReadonlySet<string> | undefined {
  return informer.hasSynced ? new Set(informer.store.keys()) : undefined;
}

function nameOnly({ metadata }: KubeObject): KubeObject {
  return { metadata: { name: metadata?.name, uid: metadata?.uid, resourceVersion: metadata?.resourceVersion } };
}
