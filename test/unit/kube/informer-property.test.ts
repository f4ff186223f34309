import { expect } from 'chai';
import fc from 'fast-check';
import type { Pod } from '../../../src/apis/core.js';
import { createKubeClient } from '../../../src/kube/http-client.js';
import { Informer } from '../../../src/kube/informer.js';
import { pods } from '../../../src/kube/resource.js';
import { createTransport } from '../../../src/kube/transport.js';
import { deepFreeze } from '../../../src/lib/deep-freeze.js';
import { FakeApiServer } from '../../support/fake-api-server.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { accessTo, sendStatus } from '../../support/http-api-server.js';
import { waitFor } from '../../support/wait-for.js';

type Step =
  | { readonly do: 'put' | 'remove' | 'assume'; readonly name: string }
  | {
      readonly do:
        | 'cut'
        | 'end'
        | 'expire'
        | 'garbage'
        | 'truncate'
        | 'stall'
        | 'flush'
        | 'bookmark'
        | 'repeat'
        | 'silence'
        | 'refuse'
        | 'breathe';
    };

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const change = fc.record({ do: fc.constantFrom('put', 'put', 'remove', 'assume'), name });
const fault = fc.record({
  do: fc.constantFrom(
    'cut',
    'end',
    'expire',
    'garbage',
    'truncate',
    'stall',
    'flush',
    'bookmark',
    'repeat',
    'silence',
    'refuse',
    'breathe',
  ),
});
const steps = fc.array(fc.oneof({ arbitrary: change, weight: 3 }, { arbitrary: fault, weight: 2 }), {
  minLength: 5,
  maxLength: 40,
}) as fc.Arbitrary<Step[]>;

interface World {
  readonly server: FakeApiServer;
  readonly informer: Informer<Pod>;
  readonly clock: FakeClock;
}

async function perform(step: Step, { server, informer, clock }: World): Promise<void> {
  switch (step.do) {
    case 'put':
      server.put(step.name);
      break;
    case 'remove':
      server.remove(step.name);
      break;
    case 'assume':
      informer.assume(server.put(step.name));
      break;
    case 'cut':
      server.cut();
      break;
    case 'end':
      server.endWatches();
      break;
    case 'expire':
      server.compact();
      server.sendEvent('ERROR', { kind: 'Status', code: 410, reason: 'Expired' });
      break;
    case 'garbage':
      server.sendRaw('<html>\n');
      break;
    case 'truncate':
      server.sendRaw('{"type":"ADDED","object":{"metadata"');
      server.endWatches();
      break;
    case 'stall':
      server.stalled = true;
      break;
    case 'flush':
      server.flush();
      break;
    case 'bookmark':
      server.flush();
      server.bookmark();
      break;
    case 'repeat':
      // Servers repeat, but never before they have sent what came earlier.
      server.flush();
      for (const object of server.list()) server.sendEvent('MODIFIED', object);
      break;
    case 'silence':
      await clock.advance(90_000);
      break;
    case 'refuse':
      for (const faults of [server.listFaults, server.watchFaults]) {
        faults.push((_request, response) => sendStatus(response, 503, 'ServiceUnavailable'));
      }
      break;
    case 'breathe':
      for (let i = 0; i < 5; i++) await settle();
      await clock.advance(1000);
      break;
  }
}

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
      for (const step of script) await perform(deepFreeze(step), world);
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
