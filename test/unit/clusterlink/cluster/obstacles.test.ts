import { expect } from 'chai';
import { nameConflict, Obstacles } from '../../../../src/clusterlink/cluster/obstacles.js';
import { ownershipLabels, ownershipOf } from '../../../../src/clustertree/cluster/ownership.js';
import { apiError } from '../../../support/member-harness.js';

describe('obstacles', () => {
  let changes: number;
  let obstacles: Obstacles;

  beforeEach(() => {
    changes = 0;
    obstacles = new Obstacles(() => (changes += 1));
  });

  async function fail(object: string, error: Error, attempt = 1, signal = new AbortController().signal): Promise<void> {
    const write = (): Promise<void> => Promise.reject(error);
    const failed = await obstacles.follow(object, { signal, attempt }, write).catch((reason: unknown) => reason);
    expect(failed).to.equal(error);
  }

  const succeed = (object: string): Promise<string> =>
    obstacles.follow(object, { signal: new AbortController().signal, attempt: 1 }, () => Promise.resolve('done'));

  const messages = (): readonly string[] => obstacles.list().map(({ message }) => message);

  it('are what the API server refuses, until it takes the object', async () => {
    await fail('b', apiError(422, 'Invalid', 'no'));
    await fail('a', apiError(403, 'Forbidden', 'not you'));
    expect(messages()).to.deep.equal(["a can't be written: not you", "b can't be written: no"]);
    expect(await succeed('b')).to.equal('done');
    expect(messages()).to.deep.equal(["a can't be written: not you"]);
    expect(changes).to.equal(3);
  });

  for (const [what, error] of [
    ['an API server that has too much to do', apiError(429, 'TooManyRequests')],
    ['an API server in trouble', apiError(500, 'InternalError')],
  ] as const) {
    it(`are not failures that may pass (${what}), unless they last`, async () => {
      await fail('a', error, 9);
      expect(obstacles.list()).to.deep.equal([]);
      await fail('a', error, 10);
      expect(obstacles.list()).to.have.length(1);
    });
  }

  it('are not broken connections, which have a condition of their own, nor what the end of a term brings', async () => {
    await fail('a', new Error('ECONNREFUSED'), 99);
    await fail('a', apiError(403, 'Forbidden'), 1, AbortSignal.abort(new Error('over')));
    expect([obstacles.list(), changes]).to.deep.equal([[], 0]);
  });

  it('stay as they are while a failure says nothing new', async () => {
    await fail('a', apiError(422, 'Invalid', 'no'));
    await fail('a', apiError(422, 'Invalid', 'no'));
    await fail('a', apiError(500, 'InternalError'));
    expect(messages()).to.deep.equal(["a can't be written: no"]);
    expect(changes).to.equal(1);
  });

  it('are forgotten when nobody writes any more', async () => {
    await fail('a', apiError(422, 'Invalid'));
    await fail('b', apiError(422, 'Invalid'));
    obstacles.clear();
    expect(obstacles.list()).to.deep.equal([]);
    obstacles.clear();
    expect(changes).to.equal(4);
  });
});

describe('whose an object is', () => {
  it('is said with the object, its maker, and what to do', () => {
    const labels = ownershipLabels(ownershipOf('other-uid', 'berlin'));
    expect(nameConflict('NodeConfig east-n1', { metadata: { labels } }).message).to.equal(
      "NodeConfig east-n1 in the cluster is somebody else's (made by the host cluster other-uid for its Cluster berlin); " +
        'delete it there, or join under another name',
    );
    expect(nameConflict('NodeConfig east-n1', {}).message).to.include('(it has no label kosmos.io/host-cluster)');
  });
});
