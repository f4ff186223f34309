import { Controller, type ControllerObserver, type ControllerOptions } from './controller.js';

/** What differs from one controller of a process to the next. */
export interface ControllerSettings extends Pick<ControllerOptions, 'name' | 'reconciler' | 'concurrency' | 'backoff'> {
  /** The Cluster that it works for; the host when absent. For metrics. */
  readonly cluster?: string;
}

/** Makes controllers that share a process's clock, log and metrics. */
export type ControllerFactory = (settings: ControllerSettings) => Controller;

export function createControllerFactory(
  shared: Pick<ControllerOptions, 'clock' | 'logger'>,
  observe?: (name: string, cluster: string) => ControllerObserver,
): ControllerFactory {
  return ({ cluster = 'host', ...settings }) =>
    new Controller({ ...shared, observer: observe?.(settings.name, cluster), ...settings });
}
