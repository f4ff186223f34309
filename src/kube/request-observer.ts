/** What became of one call, for metrics. */
export interface RequestSample {
  readonly cluster: string;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`, `delete`, or `path`. */
  readonly verb: string;
  /** `pods`, `pods/status`; empty for `path`. */
  readonly resource: string;
  /** The HTTP code, or the error code when there was no answer. */
  readonly code: string;
  /** With all waiting and retries; for watches until the head of the answer. */
  readonly seconds: number;
}

/** Called after each call; must not throw. */
export type RequestObserver = (sample: RequestSample) => void;
