import type { KubeObject } from './core.js';

/** Amounts as Kubernetes writes them: `cpu` in cores, `memory` in bytes of the working set. */
export interface ResourceUsage {
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
}

/** When a usage was measured. */
interface MeasuredObject extends KubeObject {
  /** End of the window that `cpu` is the average of. */
  readonly timestamp?: string | undefined;
  /** Length of the window, as `15.2s`. */
  readonly window?: string | undefined;
}

/** `nodes.metrics.k8s.io`. */
export interface NodeMetrics extends MeasuredObject {
  readonly usage?: ResourceUsage | undefined;
}

/** `pods.metrics.k8s.io`. It doesn't say which pod of that name was measured. */
export interface PodMetrics extends MeasuredObject {
  readonly containers?:
    readonly { readonly name: string; readonly usage?: ResourceUsage | undefined }[] | null | undefined;
}
