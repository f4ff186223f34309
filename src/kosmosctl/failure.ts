/** How `kosmosctl` ends; docs/kosmosctl.md explains them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** A check or a report found something wrong. */
  problems: 3,
  /** What was waited for did not come in time. */
  timedOut: 4,
  /** Ctrl-C, as a shell says it. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Something that went wrong, in words for the one who runs the command. */
export class CliError extends Error {
  /** What to do about it. */
  readonly cure: string | undefined;
  readonly exitCode: ExitCode;

  constructor(
    message: string,
    options: { readonly cure?: string | undefined; readonly cause?: unknown; readonly exitCode?: ExitCode } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.name = 'CliError';
    this.cure = options.cure;
    this.exitCode = options.exitCode ?? EXIT.failed;
  }
}

/** The user's own doing: a wrong flag or value. */
export function usageError(message: string, cure?: string): CliError {
  return new CliError(message, { cure, exitCode: EXIT.usage });
}
