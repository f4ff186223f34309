import { Lab } from '../../hack/lab/lab.js';
import { Federation, type FederationOptions } from './federation.js';

/**
 * Labs that all files of one process use, one after the other, because booting one costs more than most of their tests.
 * Each file leaves it as it found it, but for objects with names of its own; the last of them is gone with the process.
 */
interface Shared {
  down(): Promise<void>;
}

let shared: Promise<Shared> | undefined;

// Of mocha's root suite, so that it comes after all files.
after(async () => {
  await (await shared)?.down();
});

/** A light host without members. */
export function sharedHost(): Promise<Lab> {
  return once(async () => {
    const instance = 'host-only';
    await Lab.down(instance);
    return Lab.up({ instance, members: 0 });
  });
}

export const ONE_LIGHT_MEMBER: FederationOptions = { instance: 'light-member', members: 1, nodes: 2 };
export const TWO_LIGHT_MEMBERS: FederationOptions = { instance: 'light-members', members: 2 };
/** One member with real kubelets and containers. */
export const ONE_MEMBER: FederationOptions = { instance: 'one-member', members: 1, full: true };

/** A federation that its first user starts with these options. */
export async function sharedFederation(options: FederationOptions): Promise<Federation> {
  const federation = await once(() => Federation.start(options));
  // The file before may have ended with a restart of the manager.
  await federation.waitForKubelets();
  return federation;
}

function once<T extends Shared>(start: () => Promise<T>): Promise<T> {
  shared ??= start();
  return shared as Promise<T>;
}
