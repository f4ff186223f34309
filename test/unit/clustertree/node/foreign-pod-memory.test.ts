import { execFileSync } from 'node:child_process';
import { expect } from 'chai';

const PODS = 100_000;
const LIMIT_BYTES_PER_POD = 300;

/** Runs in a process of its own, so that neither mocha nor other tests are on the heap that it measures. */
const SCRIPT = `
import { createForeignPodTrimmer } from '${new URL('../../../../src/clustertree/node/foreign-pod.js', import.meta.url).href}';
import { MemberInventory } from '${new URL('../../../../src/clustertree/node/inventory.js', import.meta.url).href}';

const json = (i) => JSON.stringify({
  metadata: { namespace: 'namespace-' + (i % 500), name: 'some-deployment-5d8f7c9b6d-' + i.toString(36).padStart(5, 'x'),
    uid: '0b0e5b6e-0000-4000-8000-' + String(i).padStart(12, '0'), labels: { app: 'x'.repeat(40) } },
  spec: { nodeName: 'ip-10-0-' + (i % 100) + '-7.eu-west-1.compute.internal', containers: [{ name: 'main',
    image: 'registry.example.com/team/image:' + i,
    env: Array.from({ length: 20 }, (_, n) => ({ name: 'V' + n, value: 'v'.repeat(30) + i })),
    resources: { requests: { cpu: (1 + i % 40) * 25 + 'm', memory: (1 + i % 10) * 64 + 'Mi' } } }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
});
const used = () => { gc(); gc(); return process.memoryUsage().heapUsed; };

const trim = createForeignPodTrimmer();
const inventory = new MemberInventory();
const before = used();
for (let i = 0; i < ${PODS}; i += 1) {
  const pod = JSON.parse(json(i));
  inventory.setPod(pod.metadata.namespace + '/' + pod.metadata.name, trim(pod));
}
console.log(JSON.stringify({ pods: inventory.podCount, bytes: used() - before }));
`;

describe('memory of foreign pods', () => {
  it(`is at most ${LIMIT_BYTES_PER_POD} bytes each, with key and index, for ${PODS} pods`, function () {
    this.timeout(120_000);
    const output = execFileSync(process.execPath, ['--expose-gc', '--input-type=module', '--eval', SCRIPT], {
      encoding: 'utf8',
      env: {},
    });
    const { pods, bytes } = JSON.parse(output) as { readonly pods: number; readonly bytes: number };
    expect(pods).to.equal(PODS);
    expect(bytes / pods)
      .to.be.greaterThan(0)
      .and.at.most(LIMIT_BYTES_PER_POD);
  });
});
