import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../../hack/lab/lab.js';
import type { ConfigMap, KubeObject } from '../../../src/apis/core.js';
import type { KubeClient } from '../../../src/kube/client.js';
import { createKubeClient } from '../../../src/kube/http-client.js';
import { Informer, type InformerOptions } from '../../../src/kube/informer.js';
import { parseKubeconfig } from '../../../src/kube/kubeconfig.js';
import { configMaps } from '../../../src/kube/resource.js';
import { createTransport } from '../../../src/kube/transport.js';
import { sharedHost } from '../../support/shared-lab.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';

const NAMESPACE = 'default';

function picture(objects: readonly KubeObject[]): string {
  return objects
    .map(({ metadata }) => `${metadata?.name}/${metadata?.uid}/${metadata?.resourceVersion}`)
    .sort()
    .join('\n');
}

describe('an informer and a real API server, over a bad network', () => {
  let lab: Lab;
  let proxy: TcpProxy;
  /** Straight to the server: makes the changes. */
  let direct: KubeClient;
  /** Through the proxy. */
  let client: KubeClient;
  let informer: Informer<ConfigMap>;
  let known: Map<string, ConfigMap>;
  let ends: string[];
  let lists: number;
  let stop: AbortController;
  let running: Promise<void>;
  let counter = 0;

  before(async () => {
    lab = await sharedHost();
    direct = createKubeClient(createTransport({ access: access() }));
  });

  after(async () => {
    await direct.close();
  });

  beforeEach(async () => {
    proxy = await TcpProxy.start(lab.host.server);
    const transport = createTransport({
      access: { ...access(), server: proxy.url },
      timeoutMs: 5000,
      connectTimeoutMs: 2000,
    });
    client = createKubeClient(transport, { watchSilenceMs: 3000 });
    stop = new AbortController();
    known = new Map();
    [ends, lists] = [[], 0];
  });

  afterEach(async () => {
    stop.abort();
    await running;
    await client.close();
    await proxy.close();
  });

  function access(): ReturnType<typeof parseKubeconfig> {
    return parseKubeconfig(readFileSync(lab.host.kubeconfigPath, 'utf8'));
  }

  async function start(options: Partial<InformerOptions<ConfigMap, ConfigMap>> = {}): Promise<void> {
    informer = new Informer<ConfigMap>({
      client,
      type: configMaps,
      namespace: NAMESPACE,
      pageSize: 3,
      random: () => 0,
      freeze: true,
      transform: (object) => object,
      observer: {
        watchEnded: (_resource, reason) => ends.push(reason),
        listed: () => (lists += 1),
      },
      ...options,
    });
    const key = (object: ConfigMap): string => object.metadata?.name ?? '';
    informer.addHandler({
      onAdd: (object) => {
        if (known.has(key(object))) throw new Error(`${key(object)} was added twice`);
        known.set(key(object), object);
      },
      onUpdate: (old, object) => {
        if (known.get(key(object)) !== old) throw new Error(`${key(object)} changed from something unknown`);
        known.set(key(object), object);
      },
      onDelete: (old) => known.delete(key(old)),
    });
    running = informer.run(stop.signal);
    await informer.synced(AbortSignal.timeout(20_000));
  }

  /** Creates, changes and deletes a few objects, behind the proxy. */
  async function change(): Promise<void> {
    const [a, b] = [`c${counter++}`, `c${counter++}`];
    for (const name of [a, b]) await direct.create(configMaps, { metadata: { name, namespace: NAMESPACE } });
    await direct.patch(configMaps, { namespace: NAMESPACE, name: a }, { data: { x: '1' } }, { type: 'merge' });
    await direct.delete(configMaps, { namespace: NAMESPACE, name: b });
  }

  /** The store, and what a handler knows, equal a fresh list. */
  async function agree(timeoutMs = 20_000): Promise<void> {
    const fresh = picture((await direct.list(configMaps, { namespace: NAMESPACE })).items);
    await waitFor('agreement with a fresh list', () => picture(informer.store.list()) === fresh, timeoutMs);
    expect(picture([...known.values()])).to.equal(fresh);
  }

  for (const watchList of [false, true]) {
    it(`begins with a ${watchList ? 'streamed' : 'paged'} list and follows changes`, async () => {
      await change();
      await start({ watchList });
      await change();
      await agree();
      expect([lists, ends]).to.deep.equal([watchList ? 0 : 1, []]);
    });
  }

  it('resumes after cuts, without another list', async () => {
    await start();
    for (let i = 0; i < 3; i++) {
      await change();
      proxy.cut();
      await change();
      await agree();
    }
    expect(lists).to.equal(1);
    expect(ends).to.deep.equal(['broken', 'broken', 'broken']);
  });

  it('notices a stall, and comes back when it is over', async () => {
    await start();
    await agree();
    proxy.stall();
    await change();
    await waitFor('the end of the watch', () => ends.length > 0, 10_000);
    expect(informer.connected).to.equal(false);
    proxy.resume();
    await agree();
    expect(lists).to.equal(1);
  });

  it('survives connections that end in the middle of anything', async () => {
    await start();
    for (const bytes of [100, 1500, 3000, 6000, 9000]) {
      proxy.truncateAfterBytes = bytes;
      proxy.cut();
      await change();
      await sleep(300);
    }
    proxy.truncateAfterBytes = Infinity;
    proxy.cut();
    await agree(60_000);
  });

  it('does not mind a slow network', async () => {
    proxy.delayMs = 200;
    await start();
    await change();
    await agree();
    expect(ends).to.deep.equal([]);
  });

  it('comes back when the server can be reached again, and knows meanwhile that it could not', async () => {
    await start();
    proxy.refuse = true;
    proxy.cut();
    await change();
    await waitFor('the end of the watch', () => !informer.connected);
    await sleep(2000);
    expect(informer.lastSyncAgeMs).to.be.greaterThan(1500);
    proxy.refuse = false;
    await agree();
    await waitFor('the watch', () => informer.connected);
  });

  it('lists again when the server has forgotten where it was, and tells only of differences', async () => {
    await start();
    await agree();
    const before = new Map(known);
    proxy.refuse = true;
    proxy.cut();
    await change();
    await lab.host.stopApiServer('SIGKILL');
    await lab.host.startApiServer();
    await change();
    proxy.refuse = false;
    await agree(60_000);
    const unchanged = [...before].filter(([name, object]) => known.get(name) === object);
    expect(unchanged).to.have.length(before.size);
  });

  it('has what a write returned at once, and agrees with the server afterwards', async () => {
    proxy.delayMs = 100;
    await start();
    const name = `c${counter++}`;
    const created = await direct.create(configMaps, { metadata: { name, namespace: NAMESPACE } });
    informer.assume(created);
    expect(informer.store.get(`${NAMESPACE}/${name}`)).to.equal(created);
    await direct.delete(configMaps, { namespace: NAMESPACE, name });
    await agree();
    expect(informer.store.get(`${NAMESPACE}/${name}`)).to.equal(undefined);
  });

  it('leaves no connection open when it stops', async () => {
    await start();
    stop.abort();
    await running;
    await client.close();
    await waitFor('the end of all connections', () => proxy.open === 0);
  });
});
