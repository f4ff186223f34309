import { expect } from 'chai';
import type { KubeObject } from '../../../src/apis/core.js';
import { InformerCache } from '../../../src/kube/informer-cache.js';
import { type LogFields, silentLogger } from '../../../src/lib/logger.js';

interface Thing extends KubeObject {
  readonly value?: string;
}

function thing(name: string, version: number | string, value = `${name}@${version}`): Thing {
  return { metadata: { name, namespace: 'ns', uid: `uid-${name}`, resourceVersion: String(version) }, value };
}

describe('InformerCache', () => {
  let cache: InformerCache<Thing, Thing>;
  let heard: string[];

  beforeEach(() => {
    use((object) => object);
  });

  function use(transform: (object: Thing) => Thing | undefined): void {
    heard = [];
    cache = new InformerCache({ transform, indexers: {}, freeze: true, logger: silentLogger });
    cache.notifier.add(
      {
        onAdd: (object, initial) => heard.push(`+${object.value}${initial ? ' initial' : ''}`),
        onUpdate: (old, object) => heard.push(`${old.value}>${object.value}`),
        onDelete: (old) => heard.push(`-${old.value}`),
      },
      [],
    );
  }

  function list(version: number, ...things: readonly Thing[]): void {
    const snapshot = cache.begin();
    for (const object of things) snapshot.add(object);
    snapshot.commit(String(version));
  }

  function values(): string[] {
    return cache.store
      .list()
      .map((object) => object.value ?? '')
      .sort();
  }

  /** What was heard since the last call. */
  function news(): string[] {
    return heard.splice(0);
  }

  describe('with lists', () => {
    it('takes nothing over before the list is complete', () => {
      const snapshot = cache.begin();
      snapshot.add(thing('a', 1));
      expect([cache.store.size, cache.synced]).to.deep.equal([0, false]);
      snapshot.commit('5');
      expect([values(), cache.synced, news()]).to.deep.equal([['a@1'], true, ['+a@1 initial']]);
    });

    it('is synced only after handlers heard of the first list', () => {
      const during: boolean[] = [];
      cache.notifier.add({ onAdd: () => during.push(cache.synced) }, []);
      list(5, thing('a', 1));
      expect(during).to.deep.equal([false]);
    });

    it('tells only of real differences after another list', () => {
      list(5, thing('a', 1), thing('b', 2), thing('c', 3));
      news();
      list(9, thing('a', 1), thing('b', 7), thing('d', 8));
      expect(news().sort()).to.deep.equal(['+d@8', '-c@3', 'b@2>b@7']);
      expect(values()).to.deep.equal(['a@1', 'b@7', 'd@8']);
    });

    it('forgets objects that a streamed list takes back', () => {
      const snapshot = cache.begin();
      snapshot.add(thing('a', 1));
      snapshot.remove(thing('a', 2));
      snapshot.commit('5');
      expect(values()).to.deep.equal([]);
    });

    it('believes the list when versions begin again, as after a restored backup', () => {
      list(1000, thing('a', 900), thing('b', 901));
      cache.assume(thing('c', 1001));
      news();
      list(500, thing('a', 400), thing('b', 901, 'other b'));
      expect(news().sort()).to.deep.equal(['-c@1001', 'a@900>a@400', 'b@901>other b'].sort());
      expect(cache.apply(false, thing('a', 501))).to.equal(true);
      expect(values()).to.deep.equal(['a@501', 'other b']);
    });
  });

  describe('with events', () => {
    beforeEach(() => {
      list(10, thing('a', 5));
      news();
    });

    it('adds, replaces and deletes', () => {
      cache.apply(false, thing('b', 11));
      cache.apply(false, thing('a', 12));
      cache.apply(true, thing('b', 13));
      expect(news()).to.deep.equal(['+b@11', 'a@5>a@12', '-b@11']);
    });

    it('goes by versions, not by what the event is called', () => {
      cache.apply(false, thing('a', 11));
      cache.apply(true, thing('unknown', 12));
      expect(news()).to.deep.equal(['a@5>a@11']);
    });

    it('ignores what it knows already, and what is older', () => {
      cache.apply(false, thing('a', 12));
      news();
      expect(cache.apply(false, thing('a', 12))).to.equal(true);
      expect(cache.apply(false, thing('a', 11))).to.equal(true);
      expect(cache.apply(true, thing('a', 11))).to.equal(true);
      expect(news()).to.deep.equal([]);
    });

    it('deletes on an event with the version of the object itself', () => {
      expect(cache.apply(true, thing('a', 5))).to.equal(true);
      expect(news()).to.deep.equal(['-a@5']);
    });

    it('takes a late event of another object when that is newer than what it has', () => {
      list(10, thing('a', 5), thing('b', 6));
      cache.apply(false, thing('a', 15));
      expect(cache.apply(false, thing('b', 14))).to.equal(true);
      expect(values()).to.deep.equal(['a@15', 'b@14']);
    });

    it('asks for a list when an event from the past tells of an object that it does not have', () => {
      cache.apply(false, thing('b', 14));
      cache.apply(true, thing('b', 15));
      expect(cache.apply(false, thing('b', 14))).to.equal(false);
      expect(values()).to.deep.equal(['a@5']);
    });

    it('takes everything as it comes when versions are no numbers', () => {
      cache.apply(false, thing('a', 'x'));
      cache.apply(false, thing('b', 'y'));
      cache.apply(false, thing('a', 'w'));
      cache.apply(true, thing('b', 'v'));
      expect(values()).to.deep.equal(['a@w']);
    });
  });

  describe('with objects that a write returned', () => {
    beforeEach(() => {
      list(10, thing('a', 5));
      news();
    });

    it('has them at once, and tells of them as of events', () => {
      cache.assume(thing('b', 11));
      cache.assume(thing('a', 12));
      expect(news()).to.deep.equal(['+b@11', 'a@5>a@12']);
    });

    it('says nothing more when the watch brings the same', () => {
      cache.assume(thing('b', 11));
      news();
      expect(cache.apply(false, thing('b', 11))).to.equal(true);
      expect([news(), values()]).to.deep.equal([[], ['a@5', 'b@11']]);
    });

    it('lets no older event replace them', () => {
      cache.assume(thing('a', 13));
      news();
      expect(cache.apply(false, thing('a', 11))).to.equal(true);
      expect(cache.apply(true, thing('a', 12))).to.equal(true);
      expect([news(), values()]).to.deep.equal([[], ['a@13']]);
      cache.apply(true, thing('a', 14));
      expect(values()).to.deep.equal([]);
    });

    it('ignores one when the watch has come further', () => {
      cache.apply(true, thing('a', 12));
      cache.assume(thing('a', 11));
      cache.assume(thing('c', 12));
      expect(values()).to.deep.equal([]);
    });

    it('ignores an older one when answers come in the wrong order', () => {
      cache.assume(thing('a', 13));
      cache.assume(thing('a', 12));
      expect(values()).to.deep.equal(['a@13']);
    });

    it('ignores one without version', () => {
      cache.assume({ metadata: { name: 'z' } });
      expect(cache.store.size).to.equal(1);
    });

    it('takes one before the first list', () => {
      use((object) => object);
      cache.assume(thing('b', 11));
      expect([values(), cache.synced, news()]).to.deep.equal([['b@11'], false, ['+b@11']]);
      list(12, thing('b', 11));
      expect([values(), news()]).to.deep.equal([['b@11'], []]);
    });

    it('keeps them over a list that was taken before the write', () => {
      cache.assume(thing('a', 13));
      cache.assume(thing('b', 14));
      news();
      list(12, thing('a', 12));
      expect([news(), values()]).to.deep.equal([[], ['a@13', 'b@14']]);
    });

    it('believes a list that was taken after the write', () => {
      cache.assume(thing('a', 13));
      cache.assume(thing('b', 14));
      news();
      list(15, thing('a', 15));
      expect(news().sort()).to.deep.equal(['-b@14', 'a@13>a@15']);
    });

    it('has nothing more to wait for once the watch has brought them', () => {
      cache.assume(thing('b', 11));
      cache.assume(thing('a', 13));
      cache.apply(false, thing('b', 11));
      cache.apply(false, thing('a', 13));
      expect(cache.progress('20')).to.equal(true);
      expect(values()).to.deep.equal(['a@13', 'b@11']);
    });

    it('does not take an answer that comes after the watch has brought the same and then the deletion', () => {
      cache.assume(thing('b', 11));
      cache.apply(false, thing('b', 11));
      cache.apply(true, thing('b', 12));
      cache.assume(thing('b', 11));
      expect(values()).to.not.include('b@11');
    });

    it('asks for a list when the watch is past one without having brought it', () => {
      cache.assume(thing('b', 11));
      expect(cache.progress('10')).to.equal(true);
      expect(cache.progress('11')).to.equal(false);
      list(12, thing('a', 5));
      expect(values()).to.deep.equal(['a@5']);
      expect(cache.progress('13')).to.equal(true);
    });

    it('takes an object that was made anew after it was deleted', () => {
      cache.apply(true, thing('a', 12));
      cache.assume(thing('a', 13));
      expect(cache.apply(false, thing('a', 13))).to.equal(true);
      expect(values()).to.deep.equal(['a@13']);
    });

    it('believes what it is told when versions are no numbers', () => {
      cache.assume(thing('a', 'x'));
      expect(values()).to.deep.equal(['a@x']);
      cache.apply(false, thing('a', 'y'));
      expect(values()).to.deep.equal(['a@y']);
    });
  });

  describe('with a transform', () => {
    it('keeps what the transform gives', () => {
      use((object) => ({ ...object, value: 'small' }));
      list(1, thing('a', 1));
      expect(values()).to.deep.equal(['small']);
    });

    it('leaves objects out, and drops them when they were in', () => {
      use((object) => (object.value === 'foreign' ? undefined : object));
      list(5, thing('a', 1), thing('b', 2, 'foreign'));
      cache.apply(false, thing('a', 6, 'foreign'));
      expect(news()).to.deep.equal(['+a@1 initial', '-a@1']);
      cache.apply(false, thing('a', 7));
      expect(news()).to.deep.equal(['+a@7']);
      cache.assume(thing('a', 8, 'foreign'));
      expect(news()).to.deep.equal(['-a@7']);
      list(9, thing('b', 9), thing('a', 8, 'foreign'));
      expect(values()).to.deep.equal(['b@9']);
    });

    it('does not ask for a list because of late events of objects that it leaves out', () => {
      use(() => undefined);
      list(5);
      cache.apply(false, thing('a', 9));
      expect(cache.apply(false, thing('b', 8))).to.equal(true);
    });

    it('leaves an object out when the transform fails, and logs its name only', () => {
      const logged: LogFields[] = [];
      const logger = { ...silentLogger, error: (_message: string, fields?: LogFields) => logged.push(fields ?? {}) };
      const transform = (object: Thing): Thing => {
        if (object.value === 'bad') throw new Error('cannot read it');
        return object;
      };
      cache = new InformerCache({ transform, indexers: {}, freeze: false, logger });
      list(5, thing('a', 1, 'bad'), thing('b', 2));
      expect(values()).to.deep.equal(['b@2']);
      expect(logged).to.deep.equal([{ object: 'ns/a', error: 'cannot read it' }]);
    });
  });

  it('freezes objects when told so', () => {
    list(5, thing('a', 1));
    expect(Object.isFrozen(cache.store.get('ns/a')?.metadata)).to.equal(true);
  });
});
