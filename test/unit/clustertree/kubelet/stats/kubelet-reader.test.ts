import { expect } from 'chai';
import type { Summary } from '../../../../../src/apis/stats.js';
import { EndpointError } from '../../../../../src/clustertree/kubelet/endpoint.js';
import { KubeletReader } from '../../../../../src/clustertree/kubelet/stats/kubelet-reader.js';
import type { StatsRequest } from '../../../../../src/clustertree/kubelet/stats/stats-answer.js';
import { kubeletText, statsPod, statsPods } from '../../../../support/stats.js';

const TIME = '2026-01-01T00:00:10Z';
const READY = [
  { name: 'n1', ready: true },
  { name: 'n2', ready: true },
];

describe('KubeletReader', () => {
  let asked: { readonly nodes: readonly string[]; readonly path: string }[];
  let texts: Map<string, string>;
  let reader: KubeletReader;

  beforeEach(() => {
    asked = [];
    texts = new Map();
    reader = new KubeletReader({
      read: (nodes, path, digest) => {
        asked.push({ nodes: [...nodes], path });
        const answered = [...nodes].filter((node) => texts.has(node));
        return Promise.resolve(new Map(answered.map((node) => [node, digest(texts.get(node)!, node)])));
      },
    });
  });

  const request = (more: Partial<StatsRequest> = {}): StatsRequest => ({
    ...{ nodeName: 'kosmos-member1', behind: READY, pods: statsPods(statsPod('web', 'n1')) },
    ...more,
  });
  const refused = async (kind: 'summary' | 'cadvisor'): Promise<unknown> =>
    reader.read(kind, request()).catch((error: unknown) => error);

  describe('for /metrics/resource', () => {
    const text = (seconds: number, more: object = {}): string =>
      kubeletText({ seconds, bytes: 100, timeMs: 10_000, ...more }, { web: 3, foreign: 9 });

    it('asks the nodes behind, and those that run pods', async () => {
      const pods = statsPods(statsPod('web', 'n1'), statsPod('far', 'n3'));
      await reader.read('resource', request({ pods }));
      expect(asked).to.deep.equal([{ nodes: ['n1', 'n2', 'n3'], path: '/metrics/resource' }]);
    });

    it('does not wait for nodes that are not ready', async () => {
      const behind = [
        { name: 'n1', ready: true },
        { name: 'n2', ready: false },
      ];
      texts.set('n1', text(5));
      const { missing } = await reader.read('resource', request({ behind }));
      expect(asked[0]?.nodes).to.deep.equal(['n1']);
      expect(missing).to.deep.equal({ nodes: 1, pods: 0 });
    });

    it('shows the pods of the virtual node, the sum of its nodes, and that nothing failed', async () => {
      texts.set('n1', text(5)).set('n2', text(6));
      const { body, contentType, missing } = await reader.read('resource', request());
      expect(body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).to.deep.equal([
        'container_cpu_usage_seconds_total{container="app",namespace="shop",pod="web"} 3 10000',
        'node_cpu_usage_seconds_total 11 10000',
        'node_memory_working_set_bytes 200 10000',
        'resource_scrape_error 0',
      ]);
      expect(contentType).to.contain('version=0.0.4');
      expect(missing).to.deep.equal({ nodes: 0, pods: 0 });
    });

    it('does not add a node to the sum that only runs a pod', async () => {
      texts.set('n1', text(5)).set('n3', text(60));
      const pods = statsPods(statsPod('web', 'n3'));
      const { body } = await reader.read('resource', request({ behind: [{ name: 'n1', ready: true }], pods }));
      expect(body).to.contain('node_cpu_usage_seconds_total 5 ');
    });

    it('says what is missing when a node did not answer', async () => {
      texts.set('n2', text(6));
      const { body, missing } = await reader.read('resource', request());
      expect(body).to.contain('resource_scrape_error 1');
      expect(missing).to.deep.equal({ nodes: 1, pods: 1 });
    });

    it('says so when a kubelet says so', async () => {
      texts.set('n1', text(5, { error: 1 })).set('n2', text(6));
      expect((await reader.read('resource', request())).body).to.contain('resource_scrape_error 1');
    });

    it('answers even if it knows nothing', async () => {
      const { body } = await reader.read('resource', request());
      expect(body.trim().split('\n').at(-1)).to.equal('resource_scrape_error 1');
    });

    it('keeps the counters of virtual nodes apart', async () => {
      texts.set('n1', text(5)).set('n2', text(6));
      await reader.read('resource', request());
      const other = await reader.read(
        'resource',
        request({ nodeName: 'other', behind: [{ name: 'n2', ready: true }] }),
      );
      expect(other.body).to.contain('node_cpu_usage_seconds_total 6 ');
    });
  });

  describe('for /stats/summary', () => {
    const summary = (nanoSeconds: number, ...uids: readonly string[]): string => {
      const cpu = { time: TIME, usageCoreNanoSeconds: nanoSeconds };
      const pods = uids.map((uid) => ({ podRef: { namespace: 'shop', name: 'web', uid } }));
      return JSON.stringify({ node: { nodeName: 'x', cpu }, pods });
    };

    it('makes one Summary of all', async () => {
      texts.set('n1', summary(5, 'member-web')).set('n2', summary(6, 'foreign'));
      const { body, contentType, missing } = await reader.read('summary', request());
      const found = JSON.parse(body) as Summary;
      expect(found.node.nodeName).to.equal('kosmos-member1');
      expect(found.pods.map(({ podRef }) => podRef.uid)).to.deep.equal(['host-web']);
      expect(contentType).to.equal('application/json');
      expect(missing).to.deep.equal({ nodes: 0, pods: 0 });
    });

    it('asks for CPU and memory alone when that is wanted', async () => {
      texts.set('n1', summary(5));
      await reader.read('cpuAndMemory', request());
      expect(asked[0]?.path).to.equal('/stats/summary?only_cpu_and_memory=true');
    });

    it('leaves out a node whose answer is no Summary', async () => {
      texts.set('n1', 'not JSON').set('n2', summary(6));
      expect((await reader.read('summary', request())).missing).to.deep.equal({ nodes: 1, pods: 1 });
    });

    it('has no answer when no kubelet has one', async () => {
      const error = await refused('summary');
      expect(error).to.be.instanceOf(EndpointError);
      expect((error as EndpointError).statusCode).to.equal(503);
    });

    it('answers for a virtual node without any node behind it', async () => {
      const { body } = await reader.read('summary', request({ behind: [], pods: statsPods() }));
      expect(JSON.parse(body)).to.deep.equal({ node: { nodeName: 'kosmos-member1', startTime: null }, pods: [] });
    });
  });

  describe('for /metrics/cadvisor and /metrics/probes', () => {
    it('asks only nodes that run pods, and shows only what is about these', async () => {
      texts.set('n1', 'a{namespace="shop",pod="web"} 1\nmachine_cpu_cores 4\n');
      const { body, missing } = await reader.read('cadvisor', request());
      await reader.read('probes', request());
      expect(asked).to.deep.equal([
        { nodes: ['n1'], path: '/metrics/cadvisor' },
        { nodes: ['n1'], path: '/metrics/probes' },
      ]);
      expect(body).to.equal('# TYPE a untyped\na{namespace="shop",pod="web"} 1\n');
      expect(missing).to.equal(undefined);
    });

    it('has nothing to show without pods', async () => {
      expect((await reader.read('cadvisor', request({ pods: statsPods() }))).body).to.equal('');
    });

    it('has no answer when no kubelet has one', async () => {
      expect(await refused('cadvisor')).to.have.property('statusCode', 503);
    });
  });
});
