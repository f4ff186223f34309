import type { KubeObject } from '../apis/core.js';
import { Informer, type InformerOptions } from './informer.js';
import type { ReflectorObserver } from './reflector.js';

/** Settings of one informer. */
export interface InformerSettings<T extends KubeObject, U> extends InformerOptions<T, U> {
  /** The Cluster whose objects it watches; the host when absent. For metrics. */
  readonly cluster?: string;
}

/** Settings that all informers of a process share. */
export type SharedInformerOptions = Pick<
  InformerOptions<KubeObject, KubeObject>,
  'clock' | 'random' | 'logger' | 'watchList' | 'pageSize'
>;

/** Makes informers that share a process's clock, log and metrics. */
export type InformerFactory = <T extends KubeObject, U = T>(settings: InformerSettings<T, U>) => Informer<T, U>;

export function createInformerFactory(
  shared: SharedInformerOptions,
  observe?: (cluster: string) => ReflectorObserver,
): InformerFactory {
  return ({ cluster = 'host', ...options }) => new Informer({ ...shared, observer: observe?.(cluster), ...options });
}
