import { Controller, type ControllerObserver, type ControllerOptions } from './controller.js';

/** What differs from one controller of a process to the next. */
export type ControllerSettings = Pick<ControllerOptions, 'name' | 'reconciler' | 'concurrency' | 'backoff'>;

/** Makes controllers that share a process's clock, log and metrics. */
export type ControllerFactory = (settings: ControllerSettings) => Controller;

export function createControllerFactory(
  shared: Pick<ControllerOptions, 'clock' | 'logger'>,
  observe?: (name: string) => ControllerObserver,
): ControllerFactory {
  return (settings) => new Controller({ ...shared, observer: observe?.(settings.name), ...settings });
}
