import type { KubeObject } from '../apis/core.js';
import { Informer, type InformerOptions } from './informer.js';

/** Settings that all informers of a process share. */
export type SharedInformerOptions = Pick<
  InformerOptions<KubeObject, KubeObject>,
  'clock' | 'random' | 'logger' | 'observer' | 'watchList' | 'pageSize'
>;

/** Makes informers that share a process's clock, log and metrics. */
export type InformerFactory = <T extends KubeObject, U = T>(options: InformerOptions<T, U>) => Informer<T, U>;

export function createInformerFactory(shared: SharedInformerOptions): InformerFactory {
  return (options) => new Informer({ ...shared, ...options });
}
