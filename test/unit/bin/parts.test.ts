import { expect } from 'chai';
import type { Cluster } from '../../../src/apis/kosmos/v1alpha1/cluster.js';
import { type Part, Parts } from '../../../src/bin/parts.js';
import type { Informer } from '../../../src/kube/informer.js';

/** Runs until it is aborted, or fails on demand; notes what happens. */
class FakePart implements Part {
  synced = true;
  readonly #name: string;
  readonly #log: string[];
  readonly #fail = new Map<string, (error: Error) => void>();

  constructor(name: string, log: string[]) {
    this.#name = name;
    this.#log = log;
  }

  reconnect(): void {
    this.#log.push(`${this.#name} reconnects`);
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#until('runs', signal);
  }

  lead(signal: AbortSignal): Promise<void> {
    return this.#until('leads', signal);
  }

  fail(what: 'runs' | 'leads', error: Error): void {
    this.#fail.get(what)?.(error);
  }

  #until(what: string, signal: AbortSignal): Promise<void> {
    this.#log.push(`${this.#name} ${what}`);
    return new Promise((resolve, reject) => {
      this.#fail.set(what, reject);
      signal.addEventListener('abort', () => {
        this.#log.push(`${this.#name} ${what} no more`);
        resolve();
      });
    });
  }
}

describe('Parts', () => {
  let log: string[];
  let tree: FakePart;
  let link: FakePart;
  let cache: FakePart & { hasSynced: boolean };
  let abort: AbortController;

  beforeEach(() => {
    log = [];
    [tree, link] = [new FakePart('tree', log), new FakePart('link', log)];
    cache = Object.assign(new FakePart('clusters', log), { hasSynced: true });
    abort = new AbortController();
  });

  const parts = (...some: readonly Part[]): Parts => new Parts(cache as unknown as Informer<Cluster>, some);

  it('are synced when the Clusters are known, and every part has what it needs', () => {
    const all = parts(tree, link);
    const states: boolean[] = [all.synced];
    link.synced = false;
    states.push(all.synced);
    link.synced = true;
    cache.hasSynced = false;
    states.push(all.synced);
    expect(states).to.deep.equal([true, false, false]);
  });

  it('are synced without any part, as soon as the Clusters are known', () => {
    expect(parts().synced).to.equal(true);
  });

  it('read the host again all at once, the Clusters first', () => {
    parts(tree, link).reconnect();
    expect(log).to.deep.equal(['clusters reconnects', 'tree reconnects', 'link reconnects']);
  });

  it('run together, and end when all have ended', async () => {
    let ended = false;
    const running = parts(tree, link)
      .run(abort.signal)
      .then(() => (ended = true));
    expect(log).to.deep.equal(['clusters runs', 'tree runs', 'link runs']);
    expect(ended).to.equal(false);
    abort.abort();
    await running;
    expect(log.slice(3)).to.deep.equal(['clusters runs no more', 'tree runs no more', 'link runs no more']);
  });

  it('lead together, without a cache of their own, and again in another term', async () => {
    const all = parts(tree, link);
    for (const term of [new AbortController(), new AbortController()]) {
      const leading = all.lead(term.signal);
      term.abort();
      await leading;
    }
    expect(log).to.deep.equal(
      Array.from({ length: 2 }, () => ['tree leads', 'link leads', 'tree leads no more', 'link leads no more']).flat(),
    );
  });

  for (const what of ['runs', 'leads'] as const) {
    it(`fail when one of them ${what} into an error, so that the process can end`, async () => {
      const all = parts(tree, link);
      const working = what === 'runs' ? all.run(abort.signal) : all.lead(abort.signal);
      link.fail(what, new Error('link is broken'));
      const failure = await working.catch((error: unknown) => error);
      expect(failure).to.have.property('message', 'link is broken');
      abort.abort();
    });
  }
});
