import { expect } from 'chai';
import type { Event } from '../../../../src/apis/core.js';
import { watchMemberEvents } from '../../../../src/clustertree/cluster/member-events.js';
import { events } from '../../../../src/kube/resource.js';
import { apiError, MemberHarness } from '../../../support/member-harness.js';

describe('watchMemberEvents', () => {
  let harness: MemberHarness;
  let heard: string[];
  let returns: Set<() => void>;

  beforeEach(() => {
    harness = new MemberHarness();
    heard = [];
    returns = new Set();
  });

  afterEach(() => harness.end());

  async function run(): Promise<void> {
    const { client, clock, logger, signal } = harness;
    const onEvent = (event: Event): number => heard.push(`${event.metadata.name ?? ''} ${event.count ?? 1}`);
    const onReturn = (listener: () => void): (() => void) => {
      returns.add(listener);
      return () => returns.delete(listener);
    };
    const options = { client, clock, logger, random: () => 0.5, about: 'Pod', onReturn, onEvent } as const;
    harness.track(watchMemberEvents(options, signal));
    await harness.settle(2);
  }

  async function add(name: string, kind = 'Pod'): Promise<void> {
    harness.client.seed(events, { metadata: { namespace: 'shop', name }, involvedObject: { kind } });
    await harness.settle();
  }

  it('tells of events about pods from now on', async () => {
    await add('before');
    await run();
    await add('after');
    await add('node', 'Node');
    expect(heard).to.deep.equal(['after 1']);
  });

  it('does not read the events that are there already', async () => {
    for (const name of ['a', 'b', 'c']) await add(name);
    await run();
    const lists = harness.client.callsOf({ verb: 'list' });
    expect(lists.map(({ options }) => options)).to.have.lengthOf(1);
    expect(lists[0]?.options).to.have.property('limit', 1);
  });

  it('tells of repetitions, and not of their end', async () => {
    await run();
    await add('a');
    harness.client.edit(events, { namespace: 'shop', name: 'a' }, { count: 2 });
    harness.client.erase(events, { namespace: 'shop', name: 'a' });
    await harness.settle();
    expect(heard).to.deep.equal(['a 1', 'a 2']);
  });

  it('goes on after the watch broke', async () => {
    harness.client.fail({ verb: 'watch', error: apiError(500, 'InternalError') });
    await run();
    await harness.clock.advance(5_000);
    await add('a');
    expect(heard).to.deep.equal(['a 1']);
  });

  it('goes on at once when the member is back, and lets go in the end', async () => {
    harness.client.fail({ verb: 'watch', error: apiError(500, 'InternalError') });
    await run();
    for (const listener of returns) listener();
    await harness.settle(2);
    await add('a');
    expect(heard).to.deep.equal(['a 1']);
    await harness.end();
    expect(returns.size).to.equal(0);
  });
});
