import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { joinMember, type ManagerOptions } from '../../hack/lab/federation.js';
import { KOSMOS_NAMESPACE } from '../../src/apis/names.js';
import type { LabOptions } from '../../hack/lab/options.js';
import { isWrite, type ApiCall } from './api-call.js';
import { ApiProxy } from './api-proxy.js';
import { createAuthority } from './certificates.js';
import { CopyHistory } from './copy-history.js';
import { eventually } from './eventually.js';
import { Federation } from './federation.js';

/** The manager may be killed many times before it leads. */
const START_LIMIT = { timeoutMs: 180_000 };

export type Phase = 'before' | 'after';

/** A moment to kill the manager at. */
export interface CrashPoint {
  /** As {@link kindOf} words it. */
  readonly kind: string;
  readonly phase: Phase;
}

export function nameOf({ kind, phase }: CrashPoint): string {
  return `${phase} ${kind}`;
}

/**
 * What kind of call it is. All members are one. What is read to find out which kinds there are, and to see that a
 * namespace is empty of all of them, counts as one kind each.
 */
export function kindOf(call: ApiCall): string {
  const side = call.cluster === 'host' ? 'host' : 'member';
  if (call.resource.startsWith('/api')) return `${side} GET discovery`;
  if (call.verb === 'LIST' && call.namespace !== undefined) return `${side} LIST in a namespace`;
  const lease = call.resource === 'leases' ? ` of ${call.namespace ?? ''}` : '';
  return `${side} ${call.verb} ${call.resource}${lease}`;
}

/**
 * A federation whose manager talks to all API servers through proxies, and which is killed at chosen calls: before the
 * API server sees the call, or after it has carried it out and before the manager knows.
 */
export class CrashRig {
  readonly federation: Federation;
  /** Every call since the last {@link forget}. */
  readonly calls: ApiCall[] = [];
  readonly #proxies = new Map<string, ApiProxy>();
  #history: CopyHistory | undefined;
  #armed = new Map<string, CrashPoint>();
  #fired: CrashPoint[] = [];
  #crashing = false;
  #dying = false;
  /** Of the manager that runs. */
  #leaseWrites = 0;
  #failure: unknown;

  private constructor(federation: Federation) {
    this.federation = federation;
  }

  /** Boots all and joins the members. */
  static async start(options: LabOptions & { readonly instance: string }, manager?: ManagerOptions): Promise<CrashRig> {
    const rig = new CrashRig(await Federation.boot(options, manager));
    try {
      await rig.#open();
      return rig;
    } catch (error) {
      await rig.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#history?.close();
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
    await this.federation.down();
  }

  get history(): CopyHistory {
    if (this.#history === undefined) throw new Error('not started');
    return this.#history;
  }

  /** Points that were armed and where the manager has been killed since. */
  get fired(): readonly CrashPoint[] {
    return this.#fired;
  }

  /** The manager is killed at the first call of each of the points from now on, and started again each time. */
  arm(points: readonly CrashPoint[]): void {
    this.#armed = new Map(points.map((point) => [nameOf(point), point]));
    this.#fired = [];
  }

  /** Kills no more; resolves when the manager runs. */
  async disarm(): Promise<void> {
    this.#armed = new Map();
    await this.#restarted();
  }

  /** Resolves when the manager has led for a while and no armed point is met any more. */
  async settled(): Promise<void> {
    let fired = -1;
    while (fired !== this.#fired.length) {
      fired = this.#fired.length;
      await this.#restarted();
      await eventually(() => this.federation.waitForMembers(), START_LIMIT);
      await eventually(() => {
        if (this.#leaseWrites < 2) throw new Error('the manager does not lead yet, or has not renewed its lease');
      }, START_LIMIT);
      // It is renewed every 2 s.
      await sleep(2_500);
    }
  }

  async #restarted(): Promise<void> {
    await eventually(() => {
      if (this.#failure !== undefined) throw new Error('the manager could not be started', { cause: this.#failure });
      if (this.#crashing) throw new Error('the manager was not started again');
    });
  }

  forget(): void {
    this.calls.length = 0;
  }

  get writes(): readonly ApiCall[] {
    return this.calls.filter(isWrite);
  }

  /** Kills the manager at any moment and starts it again. */
  async crash(): Promise<void> {
    await this.#restarted();
    await this.#kill();
    await this.#restarted();
  }

  async #kill(): Promise<void> {
    this.#crashing = true;
    this.#dying = true;
    await this.federation.killManager();
    this.#dying = false;
    this.#leaseWrites = 0;
    void this.#startAgain().then(
      () => {
        this.#crashing = false;
      },
      (error: unknown) => {
        this.#failure = error;
      },
    );
  }

  /** What the dead manager has sent is carried out first, else its last renewal would bring its lease back. */
  async #startAgain(): Promise<void> {
    await eventually(() => {
      const underWay = [...this.#proxies.values()].reduce((sum, proxy) => sum + proxy.underWay, 0);
      if (underWay > 0) throw new Error(`${underWay} calls of the dead manager are under way`);
    });
    await this.federation.restartManager();
  }

  /** Applies the Cluster of a member, by way of its proxy. */
  async join(member: string): Promise<void> {
    const cluster = this.federation.lab.cluster(member);
    const proxy = this.#proxies.get(member);
    if (proxy === undefined) throw new Error(`${member} has no proxy`);
    await joinMember(this.federation.lab, cluster, { kubeconfig: proxy.kubeconfig });
  }

  async #open(): Promise<void> {
    const { lab } = this.federation;
    const authority = createAuthority();
    const hook = (call: ApiCall, phase: Phase): Promise<'pass' | 'cut'> => this.#onCall(call, phase);
    for (const cluster of lab.clusters) {
      this.#proxies.set(cluster.name, await ApiProxy.start({ cluster, authority, address: lab.hostAddress, hook }));
    }
    this.#history = await CopyHistory.start(lab.members.map(({ name }) => this.federation.client(name)));
    const kubeconfig = join(lab.host.directory, 'through-proxy.kubeconfig');
    writeFileSync(kubeconfig, this.#proxies.get('host')?.kubeconfig ?? '', { mode: 0o600 });
    await this.federation.startManager({ kubeconfig });
    for (const { name } of lab.members) await this.join(name);
    await this.federation.waitForMembers();
  }

  async #onCall(call: ApiCall, phase: Phase): Promise<'pass' | 'cut'> {
    if (phase === 'before') this.calls.push(call);
    const isRenewal = call.resource === 'leases' && call.namespace === KOSMOS_NAMESPACE && isWrite(call);
    if (isRenewal && phase === 'after' && !this.#crashing) this.#leaseWrites += 1;
    const name = nameOf({ kind: kindOf(call), phase });
    const point = this.#armed.get(name);
    if (point === undefined || (this.#crashing && !this.#dying)) return 'pass';
    this.#armed.delete(name);
    this.#fired.push(point);
    // Calls that were under way when the manager was killed at another one are cut by the same kill.
    if (!this.#dying) await this.#kill();
    return 'cut';
  }
}
