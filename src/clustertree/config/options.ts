import type { KubeObject } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { Informer } from '../../kube/informer.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Clock, Random } from '../../lib/clock.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { HostContents } from './host-contents.js';

/** What the feature needs, the same for all members. */
export interface ConfigFeatureOptions {
  readonly host: KubeClient;
  readonly hostPods: HostPods;
  /** Metadata of all ConfigMaps and of all Secrets of the host, each in one watch for all members. */
  readonly hostConfigMaps: Informer<KubeObject>;
  readonly hostSecrets: Informer<KubeObject>;
  readonly contents: HostContents;
  readonly createInformer: InformerFactory;
  readonly createController: ControllerFactory;
  readonly clock: Clock;
  readonly random: Random;
}
