import { expect } from 'chai';
import { runInProcess, type CliHarnessOptions } from '../../support/cli-harness.js';

const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: a
clusters: [{ name: a, cluster: { server: 'https://127.0.0.1:1' } }]
contexts: [{ name: a, context: { cluster: a, user: a } }]
users: [{ name: a, user: { token: very-secret-token } }]
`;

const FILES = {
  '/host.yaml': KUBECONFIG,
  '/broken.yaml': 'clusters: [',
  '/no-context.yaml': KUBECONFIG.replace('current-context: a', 'current-context: b'),
  '/values.yaml': 'replicas: three\n',
};

type Row = readonly [mistake: string, args: string, code: number, said: string, options?: CliHarnessOptions];

const JOIN = 'join cluster --name m --kubeconfig /host.yaml --host-kubeconfig /host.yaml';

/** Mistakes that no cluster is needed for; those that one is needed for are in test/integration/kosmosctl. */
const TABLE: readonly Row[] = [
  ['an unknown command', 'instal', 2, '(Did you mean install?)'],
  ['an unknown flag', 'install --replica 2', 2, '(Did you mean --replicas?)'],
  ['an unknown form of output', 'get clusters -o xml', 2, 'Allowed choices are wide, json, yaml, name'],
  ['a missing name', 'join cluster --kubeconfig /host.yaml', 2, 'the Cluster has no name\nAdd --name.'],
  ['a missing name on the way out', 'unjoin cluster', 2, 'which Cluster is to leave?'],
  [
    'no cluster to join',
    'join cluster --name m',
    2,
    'which cluster is to join?\nName its kubeconfig with --kubeconfig',
  ],
  ['a kubeconfig that is not there', 'get clusters --kubeconfig /nowhere', 1, "/nowhere, can't be read (ENOENT)"],
  ['no kubeconfig at all', 'get clusters', 1, "/home/somebody/.kube/config, can't be read (ENOENT)\nGive the path"],
  [
    'a kubeconfig that is no YAML',
    'get clusters --kubeconfig /broken.yaml',
    1,
    "/broken.yaml, can't be used: document:",
  ],
  ['a current context that is not there', 'get clusters --kubeconfig /no-context.yaml', 1, 'contexts: has no entry'],
  [
    'an unknown context',
    'get clusters --kubeconfig /host.yaml --context b',
    1,
    'another of its contexts with --context',
  ],
  [
    'several kubeconfigs',
    'get clusters',
    2,
    'KUBECONFIG names several files\nName one with --kubeconfig.',
    { environment: { KUBECONFIG: '/a:/b' } },
  ],
  [
    'a server that nobody listens at',
    'get clusters --kubeconfig /host.yaml',
    1,
    "(https://127.0.0.1:1) can't be reached",
  ],
  [
    'a name that no Cluster can have',
    `${JOIN.replace(' m ', ' My_Cluster ')} -y`,
    2,
    '"My_Cluster" can\'t be the name',
  ],
  ['a token that ends too soon', `${JOIN} -y --token-lifetime 5m`, 2, 'no tokens for less than 10 minutes'],
  ['a time that is none', `${JOIN} --wait-time soon`, 2, 'neither a number of seconds nor a duration'],
  ['an unknown leaf model', `${JOIN} --leaf-model all`, 2, 'Allowed choices are one-to-cluster, one-to-one'],
  ['two names for the image', 'install --image a/b:1 --private-image-registry c', 2, 'exclude each other'],
  ['an image with spaces', 'install --dry-run --image a/b:x!y', 2, 'image.tag: "x!y" is not a tag'],
  ['no managers', 'install --dry-run --replicas 0', 2, 'replicas: must be a whole number from 1 on'],
  ['an unknown module', 'install -m everything', 2, 'Allowed choices are all, clustertree'],
  ['a setting without value', 'install --dry-run --set replicas', 2, 'is not path=value'],
  [
    'an unknown setting',
    'install --dry-run --set kubelet.prots=3',
    2,
    'there is no value kubelet.prots\nThere are: service,',
  ],
  [
    'a setting of the wrong type',
    'install --dry-run --set replicas=many',
    2,
    'replicas: must be a number, not a string',
  ],
  [
    'a file of values with a wrong type',
    'install --dry-run -f /values.yaml',
    2,
    'replicas: must be a number, not a string',
  ],
  ['a file of values that is not there', 'install --dry-run -f /nothing', 2, "/nothing can't be read (ENOENT)"],
  ['more ports than a Service has', 'install --dry-run --set kubelet.ports=500', 2, 'a whole number from 1 to 100'],
  ['proof without a kubeconfig', 'unjoin cluster m --verify', 2, '--verify needs a kubeconfig of the member'],
  ['an unknown shell', 'completion fish', 2, 'Allowed choices are bash, zsh'],
];

describe('mistakes on the command line', () => {
  for (const [mistake, args, code, said, options] of TABLE) {
    it(`${mistake}: says what is wrong`, async () => {
      const result = await runInProcess(args.split(' '), { files: FILES, ...options });
      expect(result.err.replaceAll(/\s*\n\s*/g, '\n')).to.contain(said);
      expect(result.code).to.equal(code);
      expect(result.out).to.equal('');
      expect(result.err)
        .not.to.contain('very-secret-token')
        .and.not.match(/\n\s+at /);
    });
  }

  it('shows where in the program it happened only when asked for', async () => {
    const { err } = await runInProcess(['-v', 'get', 'clusters', '--kubeconfig', '/nowhere'], { files: FILES });
    expect(err).to.match(/\n\s+at /);
  });

  it('says that it was interrupted', async () => {
    const signal = AbortSignal.abort(new Error('interrupted'));
    const result = await runInProcess(['get', 'clusters', '--kubeconfig', '/host.yaml'], { files: FILES, signal });
    expect([result.code, result.err]).to.deep.equal([130, 'interrupted; run the command again to go on\n']);
  });
});
