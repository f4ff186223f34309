/** A group of figures of `stats.kubelet/v1alpha1`, as `cpu` or `memory`: numbers, and the time when they were read. */
export type Figures = Readonly<Record<string, unknown>>;

/** Answer of kubelet's `/stats/summary`; only what is looked at has a type, all else goes through as it is. */
export interface Summary {
  readonly node: NodeStats;
  readonly pods: readonly PodStats[];
}

export interface NodeStats {
  readonly nodeName: string;
  readonly startTime?: string | null | undefined;
  readonly cpu?: Figures | undefined;
  readonly memory?: Figures | undefined;
  readonly swap?: Figures | undefined;
  readonly fs?: Figures | undefined;
  readonly rlimit?: Figures | undefined;
  readonly runtime?: { readonly imageFs?: Figures | undefined; readonly containerFs?: Figures | undefined } | undefined;
}

export interface PodStats {
  readonly podRef: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly startTime?: string | null | undefined;
  readonly containers?: readonly ContainerStats[] | undefined;
  readonly cpu?: Figures | undefined;
  readonly memory?: Figures | undefined;
}

export interface ContainerStats {
  readonly name: string;
  readonly startTime?: string | null | undefined;
  readonly cpu?: Figures | undefined;
  readonly memory?: Figures | undefined;
}
