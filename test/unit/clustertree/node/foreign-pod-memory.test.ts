import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

const PODS = 100_000;
const LIMIT_BYTES_PER_POD = 300;

const source = (path: string): string => new URL(`../../../../src/${path}`, import.meta.url).href;

/**
 * Holds the pods as the manager does: in the cache of an informer, summed up in an inventory. Runs in a process of its
 * own, so that neither mocha nor other tests are on the heap that it measures.
 */
const SCRIPT = `
import { createForeignPodTrimmer } from '${source('clustertree/node/foreign-pod.js')}';
import { MemberInventory } from '${source('clustertree/node/inventory.js')}';
import { InformerCache } from '${source('kube/informer-cache.js')}';
import { silentLogger } from '${source('lib/logger.js')}';

const json = (i) => JSON.stringify({
  metadata: { namespace: 'namespace-' + (i % 500), name: 'some-deployment-5d8f7c9b6d-' + i.toString(36).padStart(5, 'x'),
    uid: '0b0e5b6e-0000-4000-8000-' + String(i).padStart(12, '0'), resourceVersion: String(123456789 + i),
    labels: { app: 'x'.repeat(40) } },
  spec: { nodeName: 'ip-10-0-' + (i % 100) + '-7.eu-west-1.compute.internal', containers: [{ name: 'main',
    image: 'registry.example.com/team/image:' + i,
    env: Array.from({ length: 4 }, (_, n) => ({ name: 'V' + n, value: 'v'.repeat(30) + i })),
    resources: { requests: { cpu: (1 + i % 40) * 25 + 'm', memory: (1 + i % 10) * 64 + 'Mi' } } }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
});
const used = () => { gc(); gc(); return process.memoryUsage().heapUsed; };

const inventory = new MemberInventory();
const transform = createForeignPodTrimmer();
const cache = new InformerCache({ transform, indexers: {}, freeze: false, logger: silentLogger });
cache.notifier.add({ onAdd: (pod) => inventory.changePod(undefined, pod) }, []);

function list() {
  const snapshot = cache.begin();
  for (let i = 0; i < ${PODS}; i += 1) snapshot.add(JSON.parse(json(i)));
  snapshot.commit('999999999');
}

const before = used();
list();
await new Promise((resolve) => setTimeout(resolve, 50));
let pods = 0;
for (let i = 0; i < 100; i += 1) pods += inventory.usage('ip-10-0-' + i + '-7.eu-west-1.compute.internal').pods;
console.log(JSON.stringify({ pods, bytes: used() - before, held: cache.store.size }));
`;

describe('memory of foreign pods', () => {
  it(`is at most ${LIMIT_BYTES_PER_POD} bytes each, with all that the cache keeps of it, for ${PODS} pods`, function () {
    this.timeout(120_000);
    const output = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', SCRIPT], {
      encoding: 'utf8',
      env: {},
    });
    const { pods, bytes, held } = JSON.parse(output) as Readonly<Record<'pods' | 'bytes' | 'held', number>>;
    expect({ pods, held }).to.deep.equal({ pods: PODS, held: PODS });
    expect(bytes / pods)
      .to.be.greaterThan(0)
      .and.at.most(LIMIT_BYTES_PER_POD);
  });
});
