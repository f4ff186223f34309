import type { ControllerFactory } from '../../runtime/controller-factory.js';
import type { Reconciler } from '../../runtime/controller.js';
import type { LinkMember } from './link-member.js';

/** Work that always looks at a whole cluster at once. */
export interface Passes {
  /** Name of the controller. */
  readonly name: string;
  readonly reconciler: Reconciler;
  /** How long changes are gathered before a pass. */
  readonly gatherMs: number;
  readonly createController: ControllerFactory;
  /** Calls back with changes of other things that are looked at; returns what ends that. */
  readonly onOtherChange?: (listener: () => void) => () => void;
}

/** Makes a pass at once and after changes of the cluster, until aborted; none for a cluster that leaves. */
export async function leadPasses(member: LinkMember, passes: Passes, signal: AbortSignal): Promise<void> {
  const { name: cluster, leaving } = member.config;
  if (leaving) return;
  const { name, reconciler, gatherMs, createController, onOtherChange } = passes;
  const controller = createController({ name, cluster, reconciler });
  const enqueue = (): void => controller.enqueueAfter(cluster, gatherMs);
  const stops = [member.onUpdate(enqueue), onOtherChange?.(enqueue)];
  controller.enqueue(cluster);
  try {
    await controller.run(signal);
  } finally {
    for (const stop of stops) stop?.();
  }
}
