import { FederationError } from '../../../lib/errors.js';

/** The kernel refused something, or said what can't be understood. */
export class KernelError extends FederationError {
  /** The kernel's number of the error, positive (`17` is EEXIST); 0 when there is none. */
  readonly errno: number;
  /** Its name, for instance `EEXIST`; empty when there is none. */
  readonly errnoName: string;

  constructor(
    message: string,
    options: { readonly errno?: number; readonly errnoName?: string; readonly cause?: unknown } = {},
  ) {
    super('KERNEL_ERROR', message, 'cause' in options ? { cause: options.cause } : {});
    this.errno = options.errno ?? 0;
    this.errnoName = options.errnoName ?? '';
  }
}

/** Whether the kernel refused with the error of this name, for instance `EEXIST`. */
export function isErrno(error: unknown, name: string): boolean {
  return error instanceof KernelError && error.errnoName === name;
}
