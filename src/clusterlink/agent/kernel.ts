import type { Clock } from '../../lib/clock.js';
import { type Changes, describeOperation, type Operation } from './diff.js';
import { encodeOperation, namesNoDevice } from './encode-operation.js';
import { type KernelAddress, decodeAddress, encodeAddressDump } from './netlink/address.js';
import { NETLINK_ROUTE } from './netlink/constants.js';
import { isErrno, type KernelError } from './netlink/kernel-error.js';
import type { Libc } from './netlink/libc.js';
import { decodeLink, encodeLinkChange, encodeLinkDump, type Link } from './netlink/link.js';
import type { NetlinkMessage } from './netlink/reader.js';
import { decodeRoute, encodeRouteDump, type KernelRoute, type RouteFilter } from './netlink/route.js';
import { BATCH_SIZE, type EncodeRequest, NetlinkSocket } from './netlink/socket.js';
import { readPresentState } from './present.js';
import { OWN_ALIAS, type NetworkState, type PresentState } from './state.js';

/** The kernel's own words about what it refused; empty when all was done. */
export type ApplyErrors = readonly string[];

/** The network of the namespace that the process is in. */
export interface Kernel {
  links(options?: { readonly statistics?: boolean }): readonly Link[];
  addresses(): readonly KernelAddress[];
  routes(filter: RouteFilter): readonly KernelRoute[];
  /** What is there of what is wanted, and what of ours is there that isn't. */
  present(wanted: NetworkState, protocol: number): PresentState;
  /**
   * Makes changes in their order, and calls `afterDevices` when the devices are there and nothing uses them yet. What one
   * refusal leaves undone, others don't wait for.
   */
  apply(changes: Changes, afterDevices?: () => Promise<void>): Promise<ApplyErrors>;
}

/** Work goes on for so long before other things of the process have their turn. */
const LONGEST_TURN_MS = 10;
/** What deletes say when somebody else was faster. */
const GONE_ALREADY = new Set(['ENOENT', 'ESRCH', 'ENODEV', 'EADDRNOTAVAIL']);

/** The kernel by netlink. Throws KernelError when it can't be talked to. */
export class NetlinkKernel implements Kernel {
  readonly #socket: NetlinkSocket;
  readonly #clock: Pick<Clock, 'monotonic' | 'sleep'>;

  constructor(libc: Libc, clock: Pick<Clock, 'monotonic' | 'sleep'>) {
    this.#socket = new NetlinkSocket(libc, NETLINK_ROUTE);
    this.#clock = clock;
  }

  links(options: { readonly statistics?: boolean } = {}): readonly Link[] {
    return this.dump((writer, sequence) => encodeLinkDump(writer, sequence, options), decodeLink);
  }

  addresses(): readonly KernelAddress[] {
    return this.dump(encodeAddressDump, decodeAddress);
  }

  routes(filter: RouteFilter): readonly KernelRoute[] {
    try {
      return this.dump((writer, sequence) => encodeRouteDump(writer, sequence, filter), decodeRoute);
    } catch (error) {
      // Tables come into being with their first route.
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  }

  present(wanted: NetworkState, protocol: number): PresentState {
    return readPresentState(this, wanted, protocol);
  }

  /** All objects of a dump that can be decoded. */
  dump<T>(encode: EncodeRequest, decode: (message: NetlinkMessage) => T | undefined): T[] {
    let found: T[] = [];
    this.#socket.dump(
      encode,
      () => {
        found = [];
      },
      (message) => {
        const object = decode(message);
        if (object !== undefined) found.push(object);
      },
    );
    return found;
  }

  async apply({ devices, rest }: Changes, afterDevices?: () => Promise<void>): Promise<ApplyErrors> {
    const errors: string[] = [];
    if (devices.length > 0) await this.#run(devices, this.#indexes(), errors);
    const indexes = this.#indexes();
    const made = devices.filter(({ kind, action }) => kind === 'device' && action === 'add');
    this.#bringUp(made, indexes, errors);
    await afterDevices?.();
    // What hangs on a device that could not be made has failed with it.
    const possible = rest.filter(
      (operation) => !('dev' in operation.item) || namesNoDevice(operation) || indexes.has(operation.item.dev),
    );
    await this.#run(possible, indexes, errors);
    return errors;
  }

  close(): void {
    this.#socket.close();
  }

  #indexes(): ReadonlyMap<string, number> {
    return new Map(this.links().map(({ name, index }) => [name, index]));
  }

  /** The alias can't be given when a device is made. */
  #bringUp(made: readonly Operation[], indexes: ReadonlyMap<string, number>, errors: string[]): void {
    for (const operation of made) {
      const index = 'name' in operation.item ? indexes.get(operation.item.name) : undefined;
      if (index === undefined) continue;
      const refused = this.#socket.send([
        (writer, sequence) => encodeLinkChange(writer, sequence, index, { up: true, alias: OWN_ALIAS }),
      ]);
      errors.push(...refusals([operation], refused));
    }
  }

  async #run(operations: readonly Operation[], indexes: ReadonlyMap<string, number>, errors: string[]): Promise<void> {
    let turnEndsAt = this.#clock.monotonic() + LONGEST_TURN_MS;
    for (let start = 0; start < operations.length; start += BATCH_SIZE) {
      if (this.#clock.monotonic() >= turnEndsAt) {
        await this.#clock.sleep(0);
        turnEndsAt = this.#clock.monotonic() + LONGEST_TURN_MS;
      }
      const batch = operations.slice(start, start + BATCH_SIZE);
      errors.push(...this.#send(batch, indexes));
    }
  }

  #send(batch: readonly Operation[], indexes: ReadonlyMap<string, number>): string[] {
    const sent: Operation[] = [];
    const requests: EncodeRequest[] = [];
    const errors: string[] = [];
    for (const operation of batch) {
      const request = encodeOperation(operation, indexes);
      if (request === undefined) {
        errors.push(`${describeOperation(operation)}: a device is missing`);
        continue;
      }
      sent.push(operation);
      requests.push(request);
    }
    return [...errors, ...refusals(sent, this.#socket.send(requests))];
  }
}

function refusals(operations: readonly Operation[], refused: ReadonlyMap<number, KernelError>): string[] {
  return [...refused].flatMap(([index, error]) => {
    const operation = operations[index];
    if (operation === undefined || isDoneAnyway(operation, error)) return [];
    return [`${describeOperation(operation)}: ${error.message}`];
  });
}

/** Whether somebody else has done the same in the meantime. */
function isDoneAnyway({ kind, action }: Operation, { errnoName }: KernelError): boolean {
  if (action === 'delete') return GONE_ALREADY.has(errnoName);
  return errnoName === 'EEXIST' && (kind === 'address' || kind === 'rule');
}
