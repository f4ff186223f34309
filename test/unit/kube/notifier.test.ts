import { expect } from 'chai';
import { Notifier } from '../../../src/kube/notifier.js';
import { type LogFields, silentLogger } from '../../../src/lib/logger.js';

describe('Notifier', () => {
  let notifier: Notifier<string>;
  let seen: string[];

  beforeEach(() => {
    notifier = new Notifier(silentLogger);
    seen = [];
  });

  function recorder(name: string): Parameters<Notifier<string>['add']>[0] {
    return {
      onAdd: (object, initial) => seen.push(`${name} add ${object} ${initial}`),
      onUpdate: (old, object) => seen.push(`${name} update ${old} ${object}`),
      onDelete: (old) => seen.push(`${name} delete ${old}`),
    };
  }

  it('tells all handlers of all changes', () => {
    notifier.add(recorder('1'), []);
    notifier.add(recorder('2'), []);
    notifier.notify({ type: 'add', object: 'a', initial: false });
    notifier.notify({ type: 'update', old: 'a', object: 'b' });
    notifier.notify({ type: 'delete', old: 'b' });
    expect(seen).to.deep.equal([
      '1 add a false',
      '2 add a false',
      '1 update a b',
      '2 update a b',
      '1 delete b',
      '2 delete b',
    ]);
  });

  it('tells a new handler of what is there already', () => {
    notifier.add(recorder('1'), ['a', 'b']);
    expect(seen).to.deep.equal(['1 add a true', '1 add b true']);
  });

  it('tells a removed handler nothing more, not even what is on the way', () => {
    const remove = notifier.add({ onAdd: () => removeSecond() }, []);
    const removeSecond = notifier.add(recorder('2'), []);
    notifier.notify({ type: 'add', object: 'a', initial: false });
    remove();
    expect(seen).to.deep.equal([]);
  });

  it('keeps the order for every handler when a handler causes further changes', () => {
    notifier.add(
      {
        onAdd: (object) => {
          if (object === 'a') notifier.notify({ type: 'update', old: 'a', object: 'b' });
        },
      },
      [],
    );
    notifier.add(recorder('2'), []);
    notifier.notify({ type: 'add', object: 'a', initial: false });
    expect(seen).to.deep.equal(['2 add a false', '2 update a b']);
  });

  it('tells a handler that is added by a handler every change once', () => {
    notifier.add({ onAdd: () => void notifier.add(recorder('late'), ['a']) }, []);
    notifier.notify({ type: 'add', object: 'a', initial: false });
    expect(seen).to.deep.equal(['late add a true']);
  });

  it('logs what a handler throws, and goes on', () => {
    const logged: LogFields[] = [];
    notifier = new Notifier({ ...silentLogger, error: (_message, fields) => logged.push(fields ?? {}) });
    notifier.add(
      {
        onAdd: () => {
          throw new Error('broken handler');
        },
      },
      [],
    );
    notifier.add(recorder('2'), []);
    notifier.notify({ type: 'add', object: 'a', initial: false });
    expect(seen).to.deep.equal(['2 add a false']);
    expect(logged).to.deep.equal([{ change: 'add', error: 'broken handler' }]);
  });

  it('does not mind handlers that want to know only some changes', () => {
    notifier.add({}, ['a']);
    notifier.notify({ type: 'update', old: 'a', object: 'b' });
    notifier.notify({ type: 'delete', old: 'b' });
    expect(seen).to.deep.equal([]);
  });
});
