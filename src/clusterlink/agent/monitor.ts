import type { Clock } from '../../lib/clock.js';
import { GROUP, NETLINK_NETFILTER, NETLINK_ROUTE } from './netlink/constants.js';
import { isErrno } from './netlink/kernel-error.js';
import type { Libc } from './netlink/libc.js';
import { type NetlinkMessage, readMessages } from './netlink/reader.js';
import { NetlinkSocket } from './netlink/socket.js';
import { type Interest, isAboutOwnTable, isRelevant } from './relevance.js';

const ROUTE_GROUPS =
  GROUP.LINK |
  GROUP.NEIGHBOUR |
  GROUP.IPV4_ADDRESS |
  GROUP.IPV4_ROUTE |
  GROUP.IPV4_RULE |
  GROUP.IPV6_ADDRESS |
  GROUP.IPV6_ROUTE |
  GROUP.IPV6_RULE;
const POLL_INTERVAL_MS = 100;

/** What was seen to change. */
export type Change = 'network' | 'table';

/** Collaborators of {@link NetworkMonitor}. */
export interface NetworkMonitorDeps {
  readonly libc: Libc;
  readonly clock: Pick<Clock, 'sleep'>;
  /** What to look out for, at this moment. */
  readonly interest: () => Interest;
  /** Something of that may have changed. */
  readonly onChange: (change: Change) => void;
}

/**
 * Listens to the kernel's notices of changes. Node can't wait for a netlink socket, so it is looked at ten times a second,
 * which costs a microsecond when there is nothing.
 */
export class NetworkMonitor {
  readonly #deps: NetworkMonitorDeps;

  constructor(deps: NetworkMonitorDeps) {
    this.#deps = deps;
  }

  /** Listens until the signal aborts. Rejects with KernelError when it can't. */
  async run(signal: AbortSignal): Promise<void> {
    const { libc, clock, interest, onChange } = this.#deps;
    const routes = new NetlinkSocket(libc, NETLINK_ROUTE, ROUTE_GROUPS);
    const tables = new NetlinkSocket(libc, NETLINK_NETFILTER, GROUP.NFTABLES);
    try {
      while (!signal.aborted) {
        const now = interest();
        if (drain(routes, (message) => isRelevant(message, now))) onChange('network');
        if (drain(tables, isAboutOwnTable)) onChange('table');
        await clock.sleep(POLL_INTERVAL_MS, signal).catch(() => undefined);
      }
    } finally {
      routes.close();
      tables.close();
    }
  }
}

/** Reads all there is; whether any of it counts. Notices that were lost may have been anything, so they count. */
function drain(socket: NetlinkSocket, counts: (message: NetlinkMessage) => boolean): boolean {
  let found = false;
  for (;;) {
    try {
      const chunk = socket.poll();
      if (chunk === undefined) return found;
      if (found) continue;
      for (const message of readMessages(chunk)) found ||= counts(message);
    } catch (error) {
      if (!isErrno(error, 'ENOBUFS')) throw error;
      found = true;
    }
  }
}
