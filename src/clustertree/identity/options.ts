import type { KubeClient } from '../../kube/client.js';
import type { InformerFactory } from '../../kube/informer-factory.js';
import type { Clock, Random } from '../../lib/clock.js';
import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { HostPods } from '../cluster/host-pods.js';
import type { HostClock } from './host-clock.js';
import type { SigningKeys } from './signing-keys.js';

/** What the feature needs, the same for all members. */
export interface IdentityFeatureOptions {
  readonly host: KubeClient;
  readonly hostPods: HostPods;
  readonly hostClock: HostClock;
  readonly signingKeys: SigningKeys;
  /** The part of its life after which a token is renewed, between 0 and 1. */
  readonly renewalFraction: number;
  /** Told for how many seconds the token that is nearest to its end is good; undefined when there is none. */
  readonly onExpiry: (cluster: string, seconds: number | undefined) => void;
  readonly createInformer: InformerFactory;
  readonly createController: ControllerFactory;
  readonly clock: Clock;
  readonly random: Random;
}
