import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandResult } from '../../hack/lab/run.js';
import type { ApiCall } from './api-call.js';
import { ApiProxy } from './api-proxy.js';
import { createAuthority } from './certificates.js';
import type { Federation } from './federation.js';
import type { Kosmosctl, RunningCommand } from './kosmosctl.js';

/** Long enough for a signal to arrive before the answer. */
const ANSWER_DELAY_MS = 150;

/**
 * Runs `kosmosctl` with proxies between it and the clusters, and has somebody press Ctrl-C when it makes a certain
 * request: the API server has carried it out, and the command doesn't know yet.
 */
export class Interrupter {
  readonly #ctl: Kosmosctl;
  readonly #folder = mkdtempSync(join(tmpdir(), 'kosmos-interrupts-'));
  readonly #proxies: ApiProxy[] = [];
  #running: { readonly at: string; readonly command: Promise<RunningCommand> } | undefined;
  #fired = false;

  private constructor(ctl: Kosmosctl) {
    this.#ctl = ctl;
  }

  static async start(federation: Federation, ctl: Kosmosctl, members: readonly string[]): Promise<Interrupter> {
    const interrupter = new Interrupter(ctl);
    const authority = createAuthority();
    for (const name of ['host', ...members]) {
      const proxy = await ApiProxy.start({
        ...{ cluster: federation.lab.cluster(name), authority, address: '127.0.0.1' },
        hook: (call, phase) => interrupter.#look(call, phase),
      });
      interrupter.#proxies.push(proxy);
      writeFileSync(interrupter.kubeconfig(name), proxy.kubeconfig);
    }
    return interrupter;
  }

  /** Of the way through the proxy. */
  kubeconfig(cluster: string): string {
    return join(this.#folder, `${cluster}.yaml`);
  }

  /** `at` is for instance `host PATCH clusters`; a member is `member`, whichever it is. */
  async run(args: readonly string[], at: string): Promise<CommandResult> {
    this.#fired = false;
    const command = Promise.resolve(this.#ctl.start(args, { KUBECONFIG: this.kubeconfig('host') }));
    this.#running = { at, command };
    const ended = await (await command).ended;
    this.#running = undefined;
    if (!this.#hasFired()) throw new Error(`kosmosctl ${args.join(' ')} never got to "${at}": ${ended.stderr}`);
    return ended;
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
    rmSync(this.#folder, { recursive: true });
  }

  #hasFired(): boolean {
    return this.#fired;
  }

  async #look(call: ApiCall, phase: 'before' | 'after'): Promise<'pass'> {
    const running = this.#running;
    const side = call.cluster === 'host' ? 'host' : 'member';
    if (phase === 'before' || this.#fired || running?.at !== `${side} ${call.verb} ${call.resource}`) return 'pass';
    this.#fired = true;
    (await running.command).interrupt();
    await sleep(ANSWER_DELAY_MS);
    return 'pass';
  }
}
