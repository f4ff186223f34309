import type { Clock } from '../lib/clock.js';

/** How far a kubeconfig is trusted, and what it is read with. */
export interface KubeconfigOptions {
  /** `current-context` of the file when absent. */
  readonly context?: string | undefined;
  /**
   * The kubeconfig may name files of this machine. Leave it off for one that came from an API object: whoever wrote that
   * could read any file of ours. @default false
   */
  readonly allowFiles?: boolean | undefined;
  /** The kubeconfig may name a program to run; leave it off as above. @default false */
  readonly allowExec?: boolean | undefined;
  /** What relative paths are relative to: the directory of the kubeconfig. @default '.' */
  readonly baseDirectory?: string | undefined;
  /** Environment of credential plugins. @default {} */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly clock?: Clock | undefined;
}

/** The same with all defaults; for the readers of the parts. */
export type KubeconfigContext = Required<{
  [Key in keyof Omit<KubeconfigOptions, 'context'>]: NonNullable<KubeconfigOptions[Key]>;
}>;
