import { expect } from 'chai';
import type { CallOptions } from '../../../../../src/kube/client.js';
import { KubeletFetch } from '../../../../../src/clustertree/kubelet/stats/kubelet-fetch.js';
import { StatsDenied } from '../../../../../src/clustertree/kubelet/stats/stats-answer.js';
import { FakeClock, settle } from '../../../../support/fake-clock.js';
import { FakeKubeClient } from '../../../../support/fake-kube-client.js';
import { apiError } from '../../../../support/member-harness.js';

const PATH = '/metrics/resource';
const proxied = (node: string): string => `/api/v1/nodes/${node}/proxy${PATH}`;
const asRead = (text: string): string => text;
const FORBIDDEN = apiError(403, 'Forbidden');

describe('KubeletFetch', () => {
  let client: FakeKubeClient;
  let clock: FakeClock;
  let fetch: KubeletFetch;

  beforeEach(() => {
    client = new FakeKubeClient();
    clock = new FakeClock();
    fetch = new KubeletFetch({ client, clock });
    for (const node of ['n1', 'n2']) client.paths.set(proxied(node), `text of ${node}`);
  });

  it('reads a path of each kubelet through the API server', async () => {
    expect([...(await fetch.read(['n1', 'n2'], PATH, asRead))]).to.deep.equal([
      ['n1', 'text of n1'],
      ['n2', 'text of n2'],
    ]);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('makes of each answer what is wanted, as it comes', async () => {
    const found = await fetch.read(['n1', 'n2'], PATH, (text, node) => `${node}: ${text.length}`);
    expect([...found.values()]).to.deep.equal(['n1: 10', 'n2: 10']);
  });

  it('does not take a mistake of ours for a node without figures', async () => {
    const reading = fetch.read(['n1'], PATH, () => {
      throw new TypeError('a mistake');
    });
    expect(await reading.catch((error: unknown) => error)).to.be.instanceOf(TypeError);
    expect(clock.pendingTimers).to.equal(0);
  });

  it('asks nobody when there is nobody to ask', async () => {
    expect((await fetch.read([], PATH, asRead)).size).to.equal(0);
    expect(client.calls).to.deep.equal([]);
  });

  it('writes names so that they stay within their part of the path', async () => {
    await fetch.read(['../n1'], PATH, asRead);
    expect(client.calls.map(({ resource }) => resource)).to.deep.equal([proxied('..%2Fn1')]);
  });

  it('leaves out nodes that answer with an error', async () => {
    client.fail({ verb: 'getPath', error: apiError(503, 'ServiceUnavailable') });
    expect([...(await fetch.read(['n1', 'n2'], PATH, asRead)).keys()]).to.deep.equal(['n2']);
  });

  it('says so when the API server allows none', async () => {
    client.fail({ verb: 'getPath', error: FORBIDDEN, times: 2 });
    const error: unknown = await fetch.read(['n1', 'n2'], PATH, asRead).catch((caught: unknown) => caught);
    expect(error).to.be.instanceOf(StatsDenied);
    expect((error as StatsDenied).cause).to.equal(FORBIDDEN);
  });

  it('takes what it gets when the API server allows some', async () => {
    client.fail({ verb: 'getPath', error: FORBIDDEN });
    expect([...(await fetch.read(['n1', 'n2'], PATH, asRead)).keys()]).to.deep.equal(['n2']);
  });

  it('asks eight at once, and gives each some seconds', async () => {
    const release: (() => void)[] = [];
    client.intercept = () => new Promise((resolve) => release.push(resolve));
    const nodes = Array.from({ length: 10 }, (_none, index) => `n${index}`);
    const reading = fetch.read(nodes, PATH, asRead);
    await settle();
    expect(client.calls).to.have.length(8);
    expect((client.calls[0]?.options as CallOptions).timeoutMs).to.equal(4_000);
    client.intercept = undefined;
    for (const one of release) one();
    expect([...(await reading).keys()]).to.deep.equal(['n1', 'n2']);
  });

  it('goes on with what has come when the rest takes too long', async () => {
    client.intercept = ({ resource, options }) => {
      if (resource !== proxied('n2')) return undefined;
      const { signal } = options as { readonly signal: AbortSignal };
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    };
    const reading = fetch.read(['n1', 'n2'], PATH, asRead);
    await clock.advance(8_000);
    expect([...(await reading).keys()]).to.deep.equal(['n1']);
  });
});
