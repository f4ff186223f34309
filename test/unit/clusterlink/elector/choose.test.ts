import { expect } from 'chai';
import fc from 'fast-check';
import { electGateways, type Candidate, type ElectionState } from '../../../../src/clusterlink/elector/choose.js';

function candidate(nodeName: string, more: Partial<Candidate> = {}): Candidate {
  return { nodeName, preferred: false, health: 'healthy', cordoned: false, ...more };
}

function elect(state: Partial<ElectionState>): string {
  const { gateway, standbys } = electGateways({
    ...{ candidates: [], current: undefined, standbys: [], switchedTo: undefined, standbyLimit: 2 },
    ...state,
  });
  return [gateway ?? 'none', ...standbys].join(' ');
}

const [A, B, C] = [candidate('a'), candidate('b'), candidate('c')];

describe('electGateways', () => {
  it('finds none where there is no candidate', () => {
    expect(elect({})).to.equal('none');
  });

  it('takes the first by name when nothing speaks for another', () => {
    expect(elect({ candidates: [C, B, A] })).to.equal('a b c');
  });

  it('keeps the present gateway and the order of those that stand by', () => {
    expect(elect({ candidates: [A, B, C], current: 'b', standbys: ['c', 'a'] })).to.equal('b c a');
  });

  it('lets the first of those that stand by take over from a dead gateway', () => {
    const dead = candidate('b', { health: 'unhealthy' });
    expect(elect({ candidates: [A, dead, C], current: 'b', standbys: ['c', 'a'] })).to.equal('c a');
  });

  it('does not give the role back to a gateway that returns', () => {
    expect(elect({ candidates: [A, B, C], current: 'c', standbys: ['a', 'b'] })).to.equal('c a b');
  });

  it('prefers a node with the label, also to a gateway that works', () => {
    const labelled = candidate('c', { preferred: true });
    expect(elect({ candidates: [A, B, labelled], current: 'a', standbys: ['b', 'c'] })).to.equal('c a b');
  });

  it('takes a node without the label when those with it are dead', () => {
    const labelled = candidate('a', { preferred: true, health: 'unhealthy' });
    expect(elect({ candidates: [labelled, B, C], current: 'a' })).to.equal('b c');
  });

  it('hands over from a node that is cordoned, and takes one only when there is no other', () => {
    const cordoned = candidate('a', { cordoned: true, preferred: true });
    expect(elect({ candidates: [cordoned, B], current: 'a' })).to.equal('b a');
    expect(elect({ candidates: [cordoned], current: 'a' })).to.equal('a');
  });

  it('does not replace a gateway of which nothing is known yet', () => {
    const unknown = candidate('b', { health: 'unknown' });
    expect(elect({ candidates: [A, unknown], current: 'b' })).to.equal('b a');
    expect(elect({ candidates: [A, unknown] })).to.equal('a b');
  });

  it('keeps a dead gateway when all others are dead as well', () => {
    const dead = ['a', 'b'].map((name) => candidate(name, { health: 'unhealthy' }));
    expect(elect({ candidates: dead, current: 'b' })).to.equal('b');
  });

  it('does not go from one dead gateway to another because that one is asked for', () => {
    const dead = [candidate('a', { preferred: true, health: 'unhealthy' }), candidate('b', { health: 'unhealthy' })];
    expect(elect({ candidates: dead, current: 'b' })).to.equal('b');
    const cordoned = candidate('b', { health: 'unhealthy', cordoned: true });
    expect(elect({ candidates: [dead[0]!, cordoned], current: 'b' })).to.equal('b');
    // The agent of the present one has not told its addresses again yet.
    expect(elect({ candidates: [dead[0]!], current: 'b' })).to.equal('b');
    expect(elect({ candidates: dead })).to.equal('a');
  });

  it('confirms what agents have switched to', () => {
    expect(elect({ candidates: [A, B, C], current: 'a', standbys: ['b', 'c'], switchedTo: 'c' })).to.equal('c a b');
  });

  it('does not confirm a node that is dead, or none of its candidates', () => {
    const dead = candidate('c', { health: 'unhealthy' });
    expect(elect({ candidates: [A, B, dead], current: 'a', switchedTo: 'c' })).to.equal('a b');
    expect(elect({ candidates: [A, B], current: 'a', switchedTo: 'x' })).to.equal('a b');
  });

  it('has no more nodes stand by than are asked for', () => {
    expect(elect({ candidates: [A, B, C], standbyLimit: 1 })).to.equal('a b');
    expect(elect({ candidates: [A, B, C], standbyLimit: 0 })).to.equal('a');
  });

  it('has a labelled node stand by of which nothing is known, so that it is probed', () => {
    const labelled = candidate('d', { preferred: true, health: 'unknown' });
    expect(elect({ candidates: [A, B, C, labelled], current: 'a' })).to.equal('a b d');
    expect(elect({ candidates: [A, B, C, labelled], current: 'a', standbyLimit: 0 })).to.equal('a');
  });

  const anyCandidates = fc.uniqueArray(
    fc.record({
      nodeName: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      preferred: fc.boolean(),
      cordoned: fc.boolean(),
      health: fc.constantFrom('healthy' as const, 'unknown' as const, 'unhealthy' as const),
    }),
    { selector: ({ nodeName }) => nodeName, minLength: 1 },
  );

  it('elects the same again when nothing changes', () => {
    fc.assert(
      fc.property(anyCandidates, fc.constantFrom('a', 'b', 'z', undefined), (candidates, current) => {
        const base = { candidates, switchedTo: undefined, standbyLimit: 2 };
        const first = electGateways({ ...base, current, standbys: [] });
        const again = electGateways({ ...base, current: first.gateway, standbys: first.standbys });
        const third = electGateways({ ...base, current: again.gateway, standbys: again.standbys });
        expect(again.gateway).to.equal(first.gateway);
        expect(third).to.deep.equal(again);
      }),
    );
  });

  it('does not depend on the order of the candidates', () => {
    fc.assert(
      fc.property(anyCandidates, (candidates) => {
        const base = { current: 'b', standbys: ['c'], switchedTo: undefined, standbyLimit: 2 };
        const reversed = [...candidates].reverse();
        expect(electGateways({ ...base, candidates: reversed })).to.deep.equal(electGateways({ ...base, candidates }));
      }),
    );
  });
});
