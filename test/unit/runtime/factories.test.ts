import { expect } from 'chai';
import { pods } from '../../../src/kube/resource.js';
import { silentLogger } from '../../../src/lib/logger.js';
import { createControllerFactory } from '../../../src/runtime/controller-factory.js';
import { createEventSink } from '../../../src/runtime/event-sink.js';
import { FakeClock, settle } from '../../support/fake-clock.js';
import { FakeEventRecorder } from '../../support/fake-event-recorder.js';

describe('createControllerFactory', () => {
  const reconciler = { reconcile: () => Promise.resolve({}) };

  async function observed(cluster?: string): Promise<string[]> {
    const seen: string[] = [];
    const stop = new AbortController();
    const createController = createControllerFactory({ clock: new FakeClock(), logger: silentLogger }, (name, of) => ({
      reconciled: (outcome) => seen.push(`${of} ${name} ${outcome}`),
    }));
    const controller = createController({ name: 'pod', reconciler, ...(cluster !== undefined && { cluster }) });
    controller.enqueue('a');
    const running = controller.run(stop.signal);
    await settle();
    stop.abort();
    await running;
    return seen;
  }

  it('makes controllers that are observed by name and Cluster', async () => {
    expect(await observed('member1')).to.deep.equal(['member1 pod success']);
  });

  it('counts controllers of no Cluster for the host', async () => {
    expect(await observed()).to.deep.equal(['host pod success']);
  });

  it('makes controllers that nobody observes', async () => {
    const stop = new AbortController();
    const controller = createControllerFactory({ clock: new FakeClock(), logger: silentLogger })({
      name: 'pod',
      reconciler,
    });
    const running = controller.run(stop.signal);
    stop.abort();
    await running;
    expect(controller.name).to.equal('pod');
  });
});

describe('createEventSink', () => {
  it('records warnings about objects of its type, which caches hold without their kind', () => {
    const recorder = new FakeEventRecorder();
    const sink = createEventSink(recorder, pods);
    sink.warn({ metadata: { namespace: 'shop', name: 'web', uid: 'u' } }, 'NotHere', 'because');
    expect(recorder.events).to.deep.equal([
      {
        object: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web', uid: 'u' },
        ...{ type: 'Warning', reason: 'NotHere', message: 'because' },
      },
    ]);
  });
});
