import { expect } from 'chai';
import { silentLogger } from '../../../src/lib/logger.js';
import { createControllerFactory } from '../../../src/runtime/controller-factory.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('createControllerFactory', () => {
  it('makes controllers with the shared clock and log and an observer of their own', async () => {
    const clock = new FakeClock();
    const seen: string[] = [];
    const create = createControllerFactory({ clock, logger: silentLogger }, (name) => ({
      reconciled: (outcome, durationMs) => seen.push(`${name} ${outcome} ${durationMs}`),
    }));
    const abort = new AbortController();
    const reconciler = { reconcile: (): Promise<object> => clock.sleep(5).then(() => ({})) };
    const controllers = ['pod', 'node'].map((name) => create({ name, reconciler }));
    const running = controllers.map((controller) => controller.run(abort.signal));
    for (const controller of controllers) controller.enqueue('a');
    await clock.advance(5);
    abort.abort();
    await Promise.all(running);
    expect(seen).to.deep.equal(['pod success 5', 'node success 5']);
  });
});
