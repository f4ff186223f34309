import type { Namespace } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import { objectKey } from '../../kube/resource.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { Member, MemberFeature, MemberModule } from './member.js';
import { NamespaceSweep } from './namespace-sweep.js';

export interface NamespaceFeatureOptions {
  readonly host: KubeClient;
  readonly hostNamespaces: Informer<Namespace>;
  readonly createController: ControllerFactory;
  /** Called when a namespace has to stay in a member. */
  readonly report: (cluster: string, message: string) => void;
}

/** The namespaces that we made in each member. */
export function createNamespaceFeature(options: NamespaceFeatureOptions): MemberFeature {
  return { name: 'namespace', open: (member) => new NamespaceModule(options, member) };
}

class NamespaceModule implements MemberModule {
  readonly synced = true;
  readonly #options: NamespaceFeatureOptions;
  readonly #member: Member;

  constructor(options: NamespaceFeatureOptions, member: Member) {
    this.#options = options;
    this.#member = member;
  }

  run(): Promise<void> {
    return Promise.resolve();
  }

  async lead(signal: AbortSignal): Promise<void> {
    const { host, hostNamespaces, createController, report } = this.#options;
    const member = this.#member;
    const reconciler = new NamespaceSweep({
      ...{ host, hostNamespaces, member },
      report: (message) => report(member.config.name, message),
    });
    const controller = createController({ name: 'namespace', cluster: member.config.name, reconciler });
    const enqueue = (namespace: Namespace): void => controller.enqueue(objectKey(namespace), { priority: 'low' });
    const handler = {
      onAdd: enqueue,
      onUpdate: (_old: Namespace, namespace: Namespace) => enqueue(namespace),
      onDelete: enqueue,
    };
    const stops = [hostNamespaces.addHandler(handler), member.namespaces.addHandler(handler)];
    try {
      await Promise.all([member.namespaces.synced(signal), hostNamespaces.synced(signal), member.pods.synced(signal)]);
      for (const namespace of member.namespaces.store.list()) enqueue(namespace);
      await controller.run(signal);
    } finally {
      for (const stop of stops) stop();
    }
  }
}
