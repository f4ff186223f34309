import { expect } from 'chai';
import fc from 'fast-check';
import type { Pod } from '../../../src/apis/core.js';
import { createKubeClient } from '../../../src/kube/http-client.js';
import { Informer } from '../../../src/kube/informer.js';
import { pods } from '../../../src/kube/resource.js';
import { createTransport } from '../../../src/kube/transport.js';
import { FakeApiServer } from '../../support/fake-api-server.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { accessTo, sendStatus } from '../../support/http-api-server.js';
import { waitFor } from '../../support/wait-for.js';

/** What the script of a test is made of. */
interface Step {
  readonly do: keyof typeof actions;
  readonly name: string;
}

interface World {
  readonly server: FakeApiServer;
  readonly informer: Informer<Pod>;
  readonly clock: FakeClock;
}

type Action = (world: World, name: string) => unknown;

const actions = {
  put: ({ server }, name) => server.put(name),
  remove: ({ server }, name) => server.remove(name),
  assume: ({ server, informer }, name) => informer.assume(server.put(name)),
  cut: ({ server }) => server.cut(),
  end: ({ server }) => server.endWatches(),
  expire: ({ server }) => {
    server.compact();
    server.sendEvent('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
  },
  garbage: ({ server }) => server.sendRaw('<html>\n'),
  truncate: ({ server }) => {
    server.sendRaw('{"type":"ADDED","object":{"metadata"');
    server.endWatches();
  },
  stall: ({ server }) => {
    server.stalled = true;
  },
  flush: ({ server }) => server.flush(),
  // Servers send bookmarks, and repeat events, never before they have sent what came earlier.
  bookmark: ({ server }) => {
    server.flush();
    server.bookmark();
  },
  repeat: ({ server }) => {
    server.flush();
    for (const object of server.list()) server.sendEvent('MODIFIED', object);
  },
  silence: ({ clock }) => clock.advance(90_000),
  refuse: ({ server }) => {
    for (const faults of [server.listFaults, server.watchFaults]) {
      faults.push((_request, response) => sendStatus(response, 503, 'ServiceUnavailable'));
    }
  },
  breathe: async ({ clock }) => {
    for (let i = 0; i < 5; i++) await settle();
    await clock.advance(1000);
  },
} as const satisfies Record<string, Action>;

const changes = ['put', 'put', 'remove', 'assume'] as const;
const faults = Object.keys(actions).filter((action) => !changes.includes(action as 'put')) as Step['do'][];
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    do: fc.oneof(
      { arbitrary: fc.constantFrom(...changes), weight: 3 },
      { arbitrary: fc.constantFrom(...faults), weight: 2 },
    ),
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  }),
  { minLength: 5, maxLength: 40 },
);

function picture(objects: readonly Pod[]): string {
  return objects
    .map(({ metadata }) => `${metadata?.name}/${metadata?.uid}/${metadata?.resourceVersion}`)
    .sort()
    .join();
}

/** What somebody knows who only listens to a handler. Fails at once on what can't be: an add of a known object, say. */
function listen(informer: Informer<Pod>): Map<string, Pod> {
  const known = new Map<string, Pod>();
  informer.addHandler({
    onAdd: (object) => {
      expect(known.has(object.metadata?.name ?? '')).to.equal(false);
      known.set(object.metadata?.name ?? '', object);
    },
    onUpdate: (old, object) => {
      expect(known.get(object.metadata?.name ?? '')).to.equal(old);
      expect(old.metadata?.resourceVersion).not.to.equal(object.metadata?.resourceVersion);
      known.set(object.metadata?.name ?? '', object);
    },
    onDelete: (old) => {
      expect(known.get(old.metadata?.name ?? '')).to.equal(old);
      known.delete(old.metadata?.name ?? '');
    },
  });
  return known;
}

describe('an informer under faults', () => {
  async function run(script: readonly Step[], watchList: boolean): Promise<void> {
    const server = await FakeApiServer.start();
    const clock = new FakeClock();
    const client = createKubeClient(createTransport({ access: accessTo(server.http), clock, qps: 1e6, burst: 1e6 }), {
      clock,
    });
    const stop = new AbortController();
    const failures: unknown[] = [];
    const informer = new Informer<Pod>({
      client,
      type: pods,
      clock,
      random: () => 0,
      pageSize: 2,
      watchList,
      freeze: true,
      logger: {
        debug: () => undefined,
        info: () => undefined,
        warn: () => undefined,
        error: (_message, fields) => failures.push(fields),
        child: () => expect.fail('not used'),
      },
    });
    const known = listen(informer);
    const world: World = { server, informer, clock };
    const running = informer.run(stop.signal);
    try {
      for (const step of script) await actions[step.do](world, step.name);
      server.flush();
      // Whatever it waits for, time passes; a bookmark shows a lost event.
      let agreed = 0;
      await waitFor('agreement', () => {
        void clock.advance(1000);
        if (server.watchers > 0 && picture(informer.store.list()) === picture(server.list())) agreed += 1;
        return agreed > 3;
      });
      expect(picture([...known.values()])).to.equal(picture(informer.store.list()));
      expect(failures).to.deep.equal([]);
    } finally {
      stop.abort();
      await running;
      await client.close();
      await server.close();
    }
  }

  for (const watchList of [false, true]) {
    it(`ends with what a fresh list shows, and so does who listens to it (${watchList ? 'streamed' : 'paged'})`, async function () {
      this.timeout(60_000);
      await fc.assert(
        fc.asyncProperty(steps, (script) => run(script, watchList)),
        { numRuns: 60 },
      );
    });
  }
});
