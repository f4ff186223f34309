import type { KubeObject, Pod } from '../../src/apis/core.js';
import type { KubeClient } from '../../src/kube/client.js';
import { createKubeClient } from '../../src/kube/http-client.js';
import { Informer, type InformerOptions } from '../../src/kube/informer.js';
import { pods } from '../../src/kube/resource.js';
import { createTransport } from '../../src/kube/transport.js';
import { FakeApiServer } from './fake-api-server.js';
import { FakeClock } from './fake-clock.js';
import { accessTo } from './http-api-server.js';
import { waitFor } from './wait-for.js';

/** An informer of pods on real sockets, with a clock that the test moves: only back-off and watchdogs wait for it. */
export class InformerHarness {
  readonly server: FakeApiServer;
  readonly clock = new FakeClock();
  readonly client: KubeClient;
  readonly stop = new AbortController();
  /** What the handler was told: `+name`, `+name initial`, `~name`, `-name`. */
  readonly heard: string[] = [];
  /** How watches ended. */
  readonly ends: string[] = [];
  informer: Informer<Pod>;
  #running: Promise<void> = Promise.resolve();

  private constructor(server: FakeApiServer) {
    this.server = server;
    const { clock } = this;
    this.client = createKubeClient(createTransport({ access: accessTo(server.http), clock }), { clock });
    this.informer = this.create();
  }

  static async open(): Promise<InformerHarness> {
    return new InformerHarness(await FakeApiServer.start());
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.#running;
    await this.client.close();
    await this.server.close();
  }

  /** A new informer in place of the old one, not running yet. */
  create(options: Partial<InformerOptions<Pod, Pod>> = {}): Informer<Pod> {
    this.informer = new Informer<Pod>({
      client: this.client,
      type: pods,
      clock: this.clock,
      random: () => 0,
      freeze: true,
      observer: { watchEnded: (_resource, reason) => this.ends.push(reason) },
      ...options,
    });
    this.informer.addHandler({
      onAdd: (object, initial) => this.heard.push(`+${object.metadata?.name}${initial ? ' initial' : ''}`),
      onUpdate: (_old, object) => this.heard.push(`~${object.metadata?.name}`),
      onDelete: (old) => this.heard.push(`-${old.metadata?.name}`),
    });
    return this.informer;
  }

  run(): void {
    this.#running = this.informer.run(this.stop.signal);
  }

  async synced(): Promise<void> {
    await this.informer.synced(AbortSignal.timeout(5000));
  }

  /** Creates, runs, and waits for the first list. */
  async start(options: Partial<InformerOptions<Pod, Pod>> = {}): Promise<Informer<Pod>> {
    this.create(options);
    this.run();
    await this.synced();
    return this.informer;
  }

  names(): string[] {
    return [...this.informer.store.keys()].map((key) => key.slice('default/'.length)).sort();
  }

  /** Waits until the store is what a fresh list would show. */
  settled(): Promise<void> {
    return waitFor(
      'the store to agree with the server',
      () => picture(this.informer.store.list()) === picture(this.server.list()),
    );
  }

  watching(): Promise<void> {
    return waitFor('a watch', () => this.server.watchers === 1 && this.informer.connected);
  }

  /** Lets the informer back off and come back. */
  async backOff(ms: number): Promise<void> {
    await waitFor(`the back-off of ${ms} ms`, () => this.clock.nextTimerInMs === ms);
    await this.clock.advance(ms);
  }
}

function picture(objects: readonly KubeObject[]): string {
  return objects
    .map(({ metadata }) => `${metadata?.name}@${metadata?.resourceVersion}`)
    .sort()
    .join();
}
