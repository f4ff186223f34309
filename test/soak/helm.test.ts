import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { ensureSuite } from '../../hack/lab/binaries.js';
import { REPOSITORY } from '../../hack/lab/paths.js';
import { HELM, pinnedVersion } from '../../hack/lab/programs.js';
import { run } from '../../hack/lab/run.js';
import { PINNED_KUBERNETES } from '../../hack/lab/versions.js';
import type { KubeObject } from '../../src/apis/core.js';
import { MANAGED_BY_LABEL } from '../../src/kosmosctl/managed-by.js';

const PROGRAM = join(REPOSITORY, 'dist/src/bin/kosmosctl.js');
const CHART = join(REPOSITORY, 'charts/kosmos');
const NAMESPACE = 'federation';
const MINUTE = 60_000;

/** Sets of values: nothing, each switch turned over, and texts that YAML and templates could take for something else. */
const CASES: Readonly<Record<string, object>> = {
  'nothing said': {},
  'no networks': { clusterLink: { enabled: false } },
  'no virtual nodes': { clusterTree: { enabled: false } },
  'no Service of the kubelet API': { kubelet: { service: false } },
  'many ports from another one on': { kubelet: { firstPort: 20_000, ports: 100 } },
  'certificates from nowhere': { kubelet: { servingCertificates: 'self-signed', approveCertificates: false } },
  'monitoring and no disruption budget': { podMonitor: true, alertRules: true, podDisruptionBudget: false },
  'monitoring without networks': { podMonitor: true, alertRules: true, clusterLink: { enabled: false } },
  'an image of its own': {
    image: {
      ...{ repository: 'registry.example.com:5000/team/kosmos', tag: '1.2.3-rc.1', pullPolicy: 'Always' },
      pullSecrets: [{ name: 'one' }, { name: 'two' }],
    },
  },
  'other sizes and places': {
    ...{ replicas: 3, logLevel: 'debug', priorityClassName: '', nodeSelector: { on: 'yes', 'a/b': '{{ .x }}' } },
    ...{ tolerations: [], resources: { requests: { cpu: '2', memory: '1Gi' }, limits: null } },
  },
  'texts that look like others': {
    ...{ hostApiServer: '[2001:db8::1]:6443', excludeExistingDaemonsets: true },
    clusterLink: {
      options: { cni: 'flannel', networkType: 'p2p', ipFamily: 'all', globalCIDRsMap: { '10.0.0.0/8': '242.0.0.0/8' } },
      agent: { stateDir: '/var/lib/with blanks/"quotes"/#', resources: { limits: { cpu: '1' } } },
    },
  },
  'other numbers of the planner': {
    clusterLink: { planner: { bridgeVni: 1, localPort: 65_000, mtu: 1400, clampMss: false, probePeers: 1 } },
  },
};

describe('the chart', () => {
  let helm: string;
  let folder: string;

  before(async function () {
    // The first time Helm is built, which takes minutes.
    this.timeout(60 * MINUTE);
    ({ helm = '' } = await ensureSuite(HELM, pinnedVersion(HELM), () => undefined));
    folder = mkdtempSync(join(tmpdir(), 'kosmos-helm-'));
  });

  after(() => rmSync(folder, { recursive: true }));

  /** Objects that a program prints, by what they are; labels that say who applies them are left out. */
  async function objectsOf(command: string, args: readonly string[]): Promise<ReadonlyMap<string, KubeObject>> {
    const { stdout } = await run(command, args, { env: { ...process.env, HELM_CACHE_HOME: folder } });
    const documents = parseAllDocuments(stdout).map((document) => document.toJS() as KubeObject | null);
    const objects = documents.flatMap((object) => (object === null ? [] : [withoutManager(object)]));
    return new Map(objects.map((object) => [`${object.kind} ${object.metadata?.name ?? ''}`, object]));
  }

  it('is free of what Helm complains about', async () => {
    const { stdout } = await run(helm, ['lint', '--strict', CHART]);
    expect(stdout).to.contain('0 chart(s) failed');
  });

  for (const [name, values] of Object.entries(CASES)) {
    it(`makes with Helm what kosmosctl install applies: ${name}`, async () => {
      const file = join(folder, 'values.yaml');
      writeFileSync(file, JSON.stringify(values));
      const flags = ['--namespace', NAMESPACE, '--values', file];
      // Of its own it takes clusters for those of the day that it was released, or for older ones.
      const template = ['template', 'kosmos', CHART, '--include-crds', '--kube-version', PINNED_KUBERNETES];
      const byHelm = await objectsOf(helm, [...template, ...flags]);
      const byUs = await objectsOf(process.execPath, [PROGRAM, 'install', '--dry-run', ...flags]);
      // `helm install --create-namespace` makes it, not the chart.
      const ours = new Map([...byUs].filter(([key]) => key !== `Namespace ${NAMESPACE}`));
      expect([...byHelm.keys()].sort()).to.deep.equal([...ours.keys()].sort());
      for (const [key, object] of ours) expect(byHelm.get(key), key).to.deep.equal(object);
    });
  }
});

/** No rules at all are none or null. */
function withoutManager(object: KubeObject & { readonly rules?: unknown }): KubeObject {
  const { labels = {}, ...metadata } = object.metadata ?? {};
  const others = Object.entries(labels).filter(([name]) => name !== MANAGED_BY_LABEL);
  const rules = 'rules' in object ? { rules: object.rules ?? [] } : {};
  return { ...object, ...rules, metadata: { ...metadata, labels: Object.fromEntries(others) } };
}
