import { expect } from 'chai';
import { UndoStack } from '../../../../src/kosmosctl/join/undo.js';

const NEVER = new AbortController().signal;

describe('UndoStack', () => {
  it('takes back the last thing first, and only once', async () => {
    const done: string[] = [];
    const undo = new UndoStack();
    for (const name of ['a', 'b']) undo.add(name, () => Promise.resolve(done.push(name)));
    expect(await undo.run(NEVER)).to.deep.equal([]);
    expect(await undo.run(NEVER)).to.deep.equal([]);
    expect(done).to.deep.equal(['b', 'a']);
  });

  it('goes on after a failure and says what is left', async () => {
    const done: string[] = [];
    const undo = new UndoStack();
    undo.add('first', () => Promise.resolve(done.push('first')));
    undo.add('second', () => Promise.reject(new Error('no')));
    expect(await undo.run(NEVER)).to.deep.equal(['second: no']);
    expect(done).to.deep.equal(['first']);
  });
});
