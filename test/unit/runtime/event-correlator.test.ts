import { expect } from 'chai';
import { EventCorrelator, type Occurrence } from '../../../src/runtime/event-correlator.js';

const occurrence = (fields: Partial<Occurrence> = {}): Occurrence => ({
  object: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'web', uid: 'u1' },
  type: 'Warning',
  reason: 'Refused',
  message: 'no',
  source: { component: 'kosmos-manager' },
  ...fields,
});

describe('EventCorrelator', () => {
  let correlator: EventCorrelator;
  beforeEach(() => (correlator = new EventCorrelator()));

  it('admits 25 events of an object at once, then one in 5 minutes', () => {
    const admitted = (nowMs: number, times: number): number =>
      Array.from({ length: times }, () => correlator.admit(occurrence(), nowMs)).filter(Boolean).length;
    expect(admitted(0, 30)).to.equal(25);
    expect(admitted(299_999, 5)).to.equal(0);
    expect(admitted(300_001, 5)).to.equal(1);
    expect(admitted(1_200_002, 5)).to.equal(3);
  });

  it('limits each object, type and source for itself', () => {
    for (let i = 0; i < 30; i++) correlator.admit(occurrence(), 0);
    const others: Partial<Occurrence>[] = [
      { object: { ...occurrence().object, uid: 'u2' } },
      { type: 'Normal' },
      { source: { component: 'kubelet' } },
      { source: { component: 'kosmos-manager', host: 'a' } },
    ];
    expect(others.map((other) => correlator.admit(occurrence(other), 0))).to.deep.equal([true, true, true, true]);
  });

  it('finds the event that was remembered for the same occurrence, and no other', () => {
    const { key, known } = correlator.correlate(occurrence(), 0);
    expect(known).to.equal(undefined);
    const event = { namespace: 'default', name: 'web.1', count: 1 };
    correlator.remember(key, event);
    expect(correlator.correlate(occurrence(), 1).known).to.deep.equal(event);
    expect(correlator.correlate(occurrence({ message: 'yes' }), 1).known).to.equal(undefined);
    expect(correlator.correlate(occurrence({ reason: 'Other' }), 1).known).to.equal(undefined);
  });

  it('combines events that differ by message only from the tenth on', () => {
    const correlated = Array.from({ length: 12 }, (_, i) => correlator.correlate(occurrence({ message: `m${i}` }), i));
    expect(new Set(correlated.slice(0, 9).map(({ key }) => key)).size).to.equal(9);
    expect(new Set(correlated.slice(9).map(({ key }) => key)).size).to.equal(1);
    expect(correlated[9]?.message).to.equal('(combined from similar events): m9');
    expect(correlated[8]?.message).to.equal('m8');
  });

  it('goes on counting a message that it knows while others are combined', () => {
    for (let i = 0; i < 12; i++) correlator.correlate(occurrence({ message: `m${i}` }), i);
    expect(correlator.correlate(occurrence({ message: 'm3' }), 20).message).to.equal('m3');
  });

  it('starts over after 10 minutes without such an event', () => {
    for (let i = 0; i < 12; i++) correlator.correlate(occurrence({ message: `m${i}` }), i);
    expect(correlator.correlate(occurrence({ message: 'later' }), 600_020).message).to.equal('later');
  });

  it('keeps parts of the key apart', () => {
    const first = correlator.correlate(occurrence({ reason: 'Ab', message: 'c' }), 0);
    const second = correlator.correlate(occurrence({ reason: 'A', message: 'bc' }), 0);
    expect(first.key).to.not.equal(second.key);
  });
});
