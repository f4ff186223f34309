import { expect } from 'chai';
import { WaitingKeys } from '../../../../src/clustertree/cluster/waiting-keys.js';

describe('WaitingKeys', () => {
  it('gives each key once', () => {
    const waiting = new WaitingKeys();
    for (const key of ['a', 'b', 'a']) waiting.add(key);
    expect([...waiting.take()]).to.deep.equal(['a', 'b']);
    expect([...waiting.take()]).to.deep.equal([]);
  });

  it('keeps what comes while the last ones are looked at', () => {
    const waiting = new WaitingKeys();
    waiting.add('a');
    for (const key of waiting.take()) waiting.add(key);
    expect([...waiting.take()]).to.deep.equal(['a']);
  });
});
