import type { KubeClient } from '../kube/client.js';

/** Which cluster an error is from. */
export interface Origin {
  /** `host`, `member`, … as a person would say it. */
  readonly label: string;
  readonly server: string;
}

const origins = new WeakMap<object, Origin>();

/** The cluster whose client threw the error. */
export function originOf(error: unknown): Origin | undefined {
  return typeof error === 'object' && error !== null ? origins.get(error) : undefined;
}

/** Remembers of each error that the calls of a client end with which cluster it is from. The error itself stays as it is. */
export function withOrigin(client: KubeClient, origin: Origin): KubeClient {
  return new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(member as (...args: unknown[]) => unknown, target, args);
        return result instanceof Promise ? result.catch((error: unknown) => rethrow(error, origin)) : result;
      };
    },
  });
}

/** Remembers of the error that something ends with which cluster it is from. */
export async function fromOrigin<T>(origin: Origin, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    return rethrow(error, origin);
  }
}

function rethrow(error: unknown, origin: Origin): never {
  if (typeof error === 'object' && error !== null) origins.set(error, origin);
  throw error;
}
