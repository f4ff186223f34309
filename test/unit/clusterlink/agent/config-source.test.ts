import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeConfig } from '../../../../src/apis/kosmos/v1alpha1/node-config.js';
import { ApiConfigSource, FileConfigSource, isFor } from '../../../../src/clusterlink/agent/config-source.js';
import type { Informer } from '../../../../src/kube/informer.js';
import type { InformerHandler } from '../../../../src/kube/notifier.js';
import { silentLogger } from '../../../../src/lib/logger.js';
import { FakeClock } from '../../../support/fake-clock.js';

const me = { clusterName: 'a', nodeName: 'b-c' };

describe('isFor', () => {
  it('tells nodes apart whose configs have the same name', () => {
    expect(isFor({ spec: { clusterName: 'a', nodeName: 'b-c' } }, me)).to.equal(true);
    expect(isFor({ spec: { clusterName: 'a-b', nodeName: 'c' } }, me)).to.equal(false);
  });

  it('believes the name of one that says nothing', () => {
    expect(isFor({ spec: {} }, me)).to.equal(true);
  });
});

describe('ApiConfigSource', () => {
  class FakeInformer {
    hasSynced = false;
    connected = false;
    items: NodeConfig[] = [];
    handler: InformerHandler<NodeConfig> = {};
    readonly store = { list: () => this.items };

    addHandler(handler: InformerHandler<NodeConfig>): void {
      this.handler = handler;
    }

    run(): Promise<void> {
      return Promise.resolve();
    }
  }

  const usual = { metadata: { name: 'a-b-c' }, spec: { clusterName: 'a-b', nodeName: 'c' } };
  const distinct = { metadata: { name: 'a-b-c-12345678' }, spec: me };

  it('finds the config that is for the node, by either name', () => {
    const informers = [new FakeInformer(), new FakeInformer()] as const;
    const source = new ApiConfigSource(informers as unknown as Informer<NodeConfig>[], me);
    informers[0].items = [usual];
    expect(source.current()).to.equal(undefined);
    informers[1].items = [distinct];
    expect(source.current()).to.equal(distinct);
  });

  it('takes one that is being deleted for gone', () => {
    const informer = new FakeInformer();
    informer.items = [{ ...distinct, metadata: { ...distinct.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }];
    expect(new ApiConfigSource([informer as unknown as Informer<NodeConfig>], me).current()).to.equal(undefined);
  });

  it('knows only while it is connected', () => {
    const informer = new FakeInformer();
    const source = new ApiConfigSource([informer as unknown as Informer<NodeConfig>], me);
    expect(source.known()).to.equal(false);
    informer.hasSynced = true;
    expect(source.known()).to.equal(false);
    informer.connected = true;
    expect(source.known()).to.equal(true);
  });

  it('tells of every change', async () => {
    const informer = new FakeInformer();
    let changes = 0;
    const { signal } = new AbortController();
    await new ApiConfigSource([informer as unknown as Informer<NodeConfig>], me).run(signal, () => changes++);
    informer.handler.onAdd?.(distinct, true);
    informer.handler.onUpdate?.(distinct, distinct);
    informer.handler.onDelete?.(distinct);
    expect(changes).to.equal(3);
  });
});

describe('FileConfigSource', () => {
  let directory: string;
  let path: string;
  const abort = new AbortController();

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'kosmos-config-'));
    path = join(directory, 'config.yaml');
  });

  after(() => rmSync(directory, { recursive: true }));

  it('reads a file whenever it changes, and keeps the last one that makes sense', async () => {
    const clock = new FakeClock();
    const source = new FileConfigSource(path, clock, silentLogger);
    let changes = 0;
    const running = source.run(abort.signal, () => changes++);
    await clock.advance(500);
    expect([source.known(), source.current(), changes]).to.deep.equal([false, undefined, 0]);

    writeFileSync(path, 'spec: {clusterName: east}');
    await clock.advance(1_500);
    expect(source.current()).to.deep.equal({ metadata: { generation: 1 }, spec: { clusterName: 'east' } });
    for (const nonsense of ['spec: [', 'kind: NodeConfig', '']) {
      writeFileSync(path, nonsense);
      await clock.advance(500);
    }
    expect([source.known(), changes]).to.deep.equal([true, 1]);

    writeFileSync(path, 'spec: {clusterName: west}');
    await clock.advance(500);
    expect(source.current()?.metadata?.generation).to.equal(2);
    abort.abort();
    await running;
  });

  it('says once that a file is missing, until that changes', async () => {
    const clock = new FakeClock();
    const said: string[] = [];
    const logger = { ...silentLogger, warn: (_message: string, fields?: object) => said.push(JSON.stringify(fields)) };
    const stop = new AbortController();
    const lost = join(directory, 'lost.yaml');
    const running = new FileConfigSource(lost, clock, logger).run(stop.signal, () => undefined);
    await clock.advance(2_500);
    expect(said).to.have.length(1);
    expect(said[0]).to.include('ENOENT').and.include(lost);

    writeFileSync(lost, 'spec: [');
    await clock.advance(2_500);
    expect(said).to.have.length(2);
    rmSync(lost);
    await clock.advance(2_500);
    expect(said).to.have.length(3);
    stop.abort();
    await running;
  });
});
