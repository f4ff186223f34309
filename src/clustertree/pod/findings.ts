/** Something of the host pod that does not reach the member. */
export interface Dropped {
  /** Where in the host pod, for instance `spec.volumes[cache]`. */
  readonly path: string;
  readonly message: string;
  /** Reason of the Event to put on the host pod; absent when the loss is expected and needs nobody's attention. */
  readonly event?: string;
}

/** Why a host pod can't run in the member. */
export interface Refusal {
  readonly path: string;
  /** CamelCase, the reason of the Event on the host pod. */
  readonly reason: string;
  /** Says what is wrong and what to do about it. */
  readonly message: string;
}

/** Collects what a translation loses or can't do, so that a pod's author learns all of it at once. */
export class Findings {
  readonly dropped: Dropped[] = [];
  readonly refusals: Refusal[] = [];

  drop(path: string, message: string, event?: string): void {
    this.dropped.push(event === undefined ? { path, message } : { path, message, event });
  }

  refuse(path: string, reason: string, message: string): void {
    this.refusals.push({ path, reason, message });
  }
}
