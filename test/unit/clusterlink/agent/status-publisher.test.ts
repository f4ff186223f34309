import { expect } from 'chai';
import type { NodeConfig, NodeConfigStatus } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import type { Report } from '../../../../src/clusterlink/agent/status.js';
import { StatusPublisher } from '../../../../src/clusterlink/agent/status-publisher.js';
import { apiStatusWriter } from '../../../../src/clusterlink/agent/status-writer.js';
import { ApiError } from '../../../../src/kube/api-error.js';
import { silentLogger } from '../../../../src/lib/logger.js';
import { FakeClock } from '../../../support/fake-clock.js';

const config = { metadata: { name: 'east-n1', uid: 'u1', generation: 1 }, spec: {} };

function report(clock: FakeClock, driftRepaired = 0): Report {
  return {
    ...{ appliedGeneration: 1, lastChangeTime: undefined, detected: { interfaceName: 'eth0' }, planned: true },
    ...{ lastSyncTime: new Date(clock.now()).toISOString(), driftRepaired, errors: [], peers: [], activeGateways: [] },
  };
}

describe('StatusPublisher', () => {
  let clock: FakeClock;
  let written: { readonly uid: string | undefined; readonly status: NodeConfigStatus }[];
  let failures: Error[];
  let publisher: StatusPublisher;
  let abort: AbortController;
  let running: Promise<void>;

  beforeEach(async () => {
    clock = new FakeClock();
    written = [];
    failures = [];
    const writer = {
      write: (to: NodeConfig, status: NodeConfigStatus) => {
        const failure = failures.shift();
        if (failure !== undefined) return Promise.reject(failure);
        written.push({ uid: to.metadata?.uid, status });
        return Promise.resolve();
      },
    };
    publisher = new StatusPublisher({ writer, clock, logger: silentLogger });
    abort = new AbortController();
    running = publisher.run(abort.signal);
    await clock.advance(0);
  });

  afterEach(async () => {
    abort.abort();
    await running;
  });

  it('writes what is new within a second, and only the newest', async () => {
    publisher.publish(config, report(clock, 1));
    publisher.publish(config, report(clock, 2));
    await clock.advance(1_000);
    expect(written.map(({ status }) => status.driftRepaired)).to.deep.equal([2]);
  });

  it('writes nothing that was said already, but is never older than five minutes', async () => {
    for (let second = 0; second < 620; second++) {
      publisher.publish(config, report(clock));
      await clock.advance(1_000);
      if (second === 290) expect(written).to.have.length(1);
    }
    expect(written).to.have.length(3);
    expect(new Set(written.map(({ status }) => status.lastSyncTime)).size).to.equal(written.length);
  });

  it('tries again what could not be written, unless there is something newer', async () => {
    failures.push(new Error('away'), new Error('away'));
    publisher.publish(config, report(clock, 1));
    await clock.advance(3_000);
    expect(written.map(({ status }) => status.driftRepaired)).to.deep.equal([1]);
  });

  it('says everything again to another config of the same name', async () => {
    publisher.publish(config, report(clock));
    await clock.advance(1_000);
    publisher.publish({ ...config, metadata: { ...config.metadata, uid: 'u2' } }, report(clock));
    await clock.advance(1_000);
    expect(written.map(({ uid }) => uid)).to.deep.equal(['u1', 'u2']);
  });
});

describe('apiStatusWriter', () => {
  const { signal } = new AbortController();

  it('patches the status of the config that it means', async () => {
    const calls: unknown[] = [];
    const writer = apiStatusWriter({
      patch: (type, ref, patch, options) => {
        calls.push([type.plural, ref.name, patch, options.type, options.subresource]);
        return Promise.resolve({} as never);
      },
    });
    await writer.write(config, { driftRepaired: 1 }, signal);
    expect(calls).to.deep.equal([
      ['nodeconfigs', 'east-n1', { metadata: { uid: 'u1' }, status: { driftRepaired: 1 } }, 'merge', 'status'],
    ]);
  });

  it('does not mind when the config has gone, and passes on every other failure', async () => {
    const failing = (code: number, reason: string): ReturnType<typeof apiStatusWriter> =>
      apiStatusWriter({ patch: () => Promise.reject(new ApiError({ code, reason, message: reason })) });
    await failing(404, 'NotFound').write(config, {}, signal);
    let caught: unknown;
    await failing(403, 'Forbidden')
      .write(config, {}, signal)
      .catch((error: unknown) => (caught = error));
    expect(caught).to.be.instanceOf(ApiError);
  });
});
