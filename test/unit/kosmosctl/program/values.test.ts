import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { DEFAULT_VALUES } from '../../../../src/kosmosctl/manifests/values.js';
import { mergeValues } from '../../../../src/kosmosctl/program/values.js';
import { runInProcess } from '../../../support/cli-harness.js';

describe('mergeValues', () => {
  it('are the defaults without anything', () => {
    expect(mergeValues(undefined, [])).to.deep.equal(DEFAULT_VALUES);
  });

  it('takes a file, and single settings before it', () => {
    const file = 'replicas: 3\nkubelet:\n  ports: 5\n';
    const values = mergeValues(file, ['kubelet.ports=7', 'image.tag=12', 'podMonitor=true']);
    expect(values.replicas).to.equal(3);
    expect(values.kubelet).to.deep.equal({ ...DEFAULT_VALUES.kubelet, ports: 7 });
    expect([values.image.tag, values.podMonitor]).to.deep.equal(['12', true]);
  });

  it('merges maps that may hold anything as Helm does, and replaces lists', () => {
    const { limits, requests } = DEFAULT_VALUES.resources as Record<string, Record<string, string>>;
    const values = mergeValues('resources: {requests: {cpu: 1}}\ntolerations: []\n', ['nodeSelector.disk=ssd']);
    expect(values.resources).to.deep.equal({ limits, requests: { ...requests, cpu: 1 } });
    expect(values.nodeSelector).to.deep.equal({ 'kubernetes.io/os': 'linux', disk: 'ssd' });
    expect(values.tolerations).to.deep.equal([]);
  });

  it('takes away what is null there', () => {
    const values = mergeValues('resources: {limits: null}\nnodeSelector: {kubernetes.io/os: null, constructor: a}', []);
    expect(values.resources).to.deep.equal({ requests: (DEFAULT_VALUES.resources as { requests: object }).requests });
    expect(values.nodeSelector).to.deep.equal({ constructor: 'a' });
  });

  it('adds to the options of the host what its CRD knows, and keeps the others', () => {
    const file = 'clusterLink: { options: { globalCIDRsMap: { 10.0.0.0/16: 242.0.0.0/16 } } }';
    const { options } = mergeValues(file, ['clusterLink.options.cni=flannel']).clusterLink;
    expect(options).to.deep.equal({
      ...DEFAULT_VALUES.clusterLink.options,
      ...{ cni: 'flannel', globalCIDRsMap: { '10.0.0.0/16': '242.0.0.0/16' } },
    });
    expect(() => mergeValues('clusterLink: { option: 1 }', [])).to.throw('there is no value clusterLink.option');
  });

  it('takes an empty file as nothing', () => {
    expect(mergeValues('# only words\n', [])).to.deep.equal(DEFAULT_VALUES);
  });

  for (const [settings, problem] of [
    [['kubelet=3'], 'kubelet: must be a map'],
    [['tolerations={}'], 'tolerations: must be a list, not a map'],
    [['replicas=null'], 'replicas: must be a number, not a null'],
    [['=3'], '--set =3: is not path=value'],
    [['replicas=['], '--set replicas=[: is no YAML'],
  ] as const) {
    it(`refuses ${settings.join()}`, () => {
      expect(() => mergeValues(undefined, settings)).to.throw(problem);
    });
  }
});

interface Workload {
  readonly kind: string;
  readonly spec: { readonly template: { readonly spec: { readonly imagePullSecrets?: readonly object[] } } };
}

describe('kosmosctl install --dry-run', () => {
  it('prints texts so that kubectl takes them for texts', async () => {
    const words = ['install', '--dry-run', '--set', "nodeSelector={'on': 'yes', time: '1:30'}"];
    const { out } = await runInProcess(words);
    expect(out).to.match(/^ +"on": "yes"\n +time: "1:30"\n/m);
  });

  const crds = [{ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'x' } }];

  it('prints namespace and CRDs first, then all else', async () => {
    const { code, out } = await runInProcess(['install', '--dry-run', '-n', 'elsewhere'], { crds });
    expect(code).to.equal(0);
    const documents = parseAllDocuments(out).map(
      (document) => document.toJS() as { kind: string; metadata: { name: string } },
    );
    expect(documents.slice(0, 3).map(({ kind }) => kind)).to.deep.equal([
      'Namespace',
      'CustomResourceDefinition',
      'ServiceAccount',
    ]);
    expect(documents[0]?.metadata.name).to.equal('elsewhere');
  });

  const images: readonly (readonly [args: string, image: string])[] = [
    ['', 'kosmos.local/kosmos:0.1.0'],
    ['--version v9', 'kosmos.local/kosmos:v9'],
    ['--private-image-registry r.example/x/', 'r.example/x/kosmos:0.1.0'],
    ['--image localhost:5000/k', 'localhost:5000/k:0.1.0'],
    ['--image localhost:5000/k:t', 'localhost:5000/k:t'],
  ];
  for (const [args, image] of images) {
    it(`with ${args || 'nothing'} runs ${image}`, async () => {
      const words = ['install', '--dry-run', ...args.split(' ').filter((word) => word !== '')];
      expect((await runInProcess(words)).out).to.contain(`image: ${image}\n`);
    });
  }

  it('pulls the image with the Secrets that are named, in place of those of the values', async () => {
    const words = ['install', '--dry-run', '--set', 'image.pullSecrets=[{name: of-values}]'];
    expect((await runInProcess(words)).out.match(/name: of-values/g)).to.have.lengthOf(2);
    const { out } = await runInProcess([...words, '--image-pull-secret', 'one', '--image-pull-secret', 'two']);
    const workloads = parseAllDocuments(out)
      .map((document) => document.toJS() as Workload)
      .filter(({ kind }) => kind === 'Deployment' || kind === 'DaemonSet');
    expect(workloads).to.have.lengthOf(2);
    for (const { spec } of workloads) {
      expect(spec.template.spec.imagePullSecrets).to.deep.equal([{ name: 'one' }, { name: 'two' }]);
    }
  });

  it('prints JSON as well', async () => {
    const { out } = await runInProcess(['install', '--dry-run', '-o', 'json']);
    expect(parse(out)).to.have.property('kind', 'List');
  });
});
