import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MISTAKES, type MistakeName } from '../../../hack/generate/mistakes.js';
import { clusters } from '../../../src/kube/kosmos-resources.js';
import { nodes } from '../../../src/kube/resource.js';
import { CliFederation, clusterOf } from '../../support/cli-federation.js';
import { runInProcess, type CliHarnessOptions, type CliResult } from '../../support/cli-harness.js';
import { expectMistake } from '../../support/mistakes.js';

const KUBECONFIG = `apiVersion: v1
kind: Config
current-context: a
clusters: [{ name: a, cluster: { server: 'https://127.0.0.1:1' } }]
contexts: [{ name: a, context: { cluster: a, user: a } }]
users: [{ name: a, user: { token: very-secret-token } }]
`;

const FILES = {
  '/host.yaml': KUBECONFIG,
  '/broken.yaml': 'kind: Config\nclusters: [',
  '/other-context.yaml': KUBECONFIG.replace('current-context: a', 'current-context: b'),
  '/no-context.yaml': KUBECONFIG.replace('current-context: a\n', ''),
  '/values.yaml': 'replicas: three\n',
  '/broken-values.yaml': 'image:\n  tag: [a\n',
};

type Row = readonly [name: MistakeName, args: string, options?: CliHarnessOptions];

const JOIN = 'join cluster --name m --kubeconfig /host.yaml --host-kubeconfig /host.yaml';

/** Mistakes that no cluster is needed for. Those that a real one is needed for are in test/integration and test/e2e. */
const TABLE: readonly Row[] = [
  ['unknown-command', 'instal'],
  ['unknown-flag', 'install --replica 2'],
  ['unknown-type', 'get clusterz'],
  ['unknown-choice', 'get clusters -o xml'],
  ['unknown-choice', `${JOIN} --leaf-model all`],
  ['unknown-choice', 'install -m everything'],
  ['unknown-choice', 'completion fish'],
  ['no-name', 'join cluster --kubeconfig /host.yaml'],
  ['no-member', 'join cluster --name m'],
  ['bad-name', `${JOIN.replace(' m ', ' My_Cluster ')} -y`],
  ['two-names', 'unjoin cluster a --name b'],
  ['short-token', `${JOIN} -y --token-lifetime 5m`],
  ['bad-time', `${JOIN} --wait-time soon`],
  ['two-images', 'install --image a/b:1 --private-image-registry c'],
  ['bad-image', 'install --dry-run --image a/b:x!y'],
  ['no-managers', 'install --dry-run --replicas 0'],
  ['too-many-ports', 'install --dry-run --set kubelet.ports=500'],
  ['no-assignment', 'install --dry-run --set replicas'],
  ['unknown-value', 'install --dry-run --set kubelet.prots=3'],
  ['wrong-type', 'install --dry-run --set replicas=many'],
  ['wrong-type', 'install --dry-run -f /values.yaml'],
  ['values-missing', 'install --dry-run -f /nothing'],
  ['values-no-yaml', 'install --dry-run -f /broken-values.yaml'],
  ['verify-alone', 'unjoin cluster m --verify'],
  ['bad-image-name', 'image pull https://r.example/kosmos'],
  ['no-archive', 'image push --to r.example/kosmos'],
  ['no-target', 'image push /nothing'],
  ['no-target', 'image push /nothing --to r.example/kosmos --private-registry r.example'],
  ['no-password', 'image pull r.example/kosmos --username robot'],
  ['no-authority', 'image pull r.example/kosmos --certificate-authority /nothing'],
  ['archive-missing', 'image push /nothing --to r.example/kosmos'],
  ['registry-away', 'image pull 127.0.0.1:1/kosmos'],
  ['kubeconfig-missing', 'get clusters --kubeconfig /nowhere'],
  ['kubeconfig-missing', 'get clusters'],
  ['kubeconfig-no-yaml', 'get clusters --kubeconfig /broken.yaml'],
  ['no-current-context', 'get clusters --kubeconfig /no-context.yaml'],
  ['unknown-context', 'get clusters --kubeconfig /other-context.yaml'],
  ['unknown-context', 'get clusters --kubeconfig /host.yaml --context b'],
  ['several-kubeconfigs', 'get clusters', { environment: { KUBECONFIG: '/a:/b' } }],
  ['refused-connection', 'get clusters --kubeconfig /host.yaml'],
  [
    'interrupted',
    'get clusters --kubeconfig /host.yaml',
    { files: FILES, signal: AbortSignal.abort(new Error('interrupted')) },
  ],
];

const ended = ({ code, out, err }: CliResult): { readonly code: number; readonly stderr: string } => ({
  code,
  stderr: out + err,
});

describe('mistakes on the command line', () => {
  for (const [name, args, options] of TABLE) {
    it(`${MISTAKES[name].mistake}: "${args}" says what is wrong`, async () => {
      const result = await runInProcess(args.split(' '), { files: FILES, ...options });
      expectMistake(name, ended(result));
      expect(result.out).to.equal('');
      expect(result.err).not.to.contain('very-secret-token');
    });
  }

  it('suggests what may have been meant', async () => {
    for (const [args, meant] of [
      ['instal', 'install'],
      ['install --replica 2', '--replicas'],
      ['get clusterz', 'clusters'],
    ] as const) {
      expect((await runInProcess(args.split(' '))).err).to.match(new RegExp(`\\(Did you mean.*${meant}`));
    }
  });

  it('asks for a name on the way out', async () => {
    expect((await runInProcess(['unjoin', 'cluster'])).err).to.equal(
      'error: which Cluster is to leave?\nAdd its name.\n',
    );
  });

  it('shows where in the program it happened only when asked for', async () => {
    const { err } = await runInProcess(['-v', 'get', 'clusters', '--kubeconfig', '/nowhere'], { files: FILES });
    expect(err).to.match(/\n\s+at /);
  });
});

describe('mistakes about clusters', () => {
  let federation: CliFederation;

  beforeEach(async () => {
    federation = await CliFederation.start();
    federation.elect();
  });

  afterEach(() => federation.close());

  const JOIN_MEMBER = 'join cluster member1 --kubeconfig /member.yaml -y';
  const mistake = async (name: MistakeName, line: string): Promise<void> => {
    const before = federation.host.store.resourceVersion;
    expectMistake(name, ended(await federation.run(line)));
    expect(federation.host.store.resourceVersion, 'nothing was changed').to.equal(before);
  };

  it('something else at the address of the member', async () => {
    federation.member.paths.set('/version', '<html>');
    await mistake('no-api-server', JOIN_MEMBER);
  });

  it('a member that is just leaving', async () => {
    federation.host.seed(clusters, {
      ...clusterOf('member1'),
      metadata: { name: 'member1', deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['a'] },
    });
    await mistake('just-leaving', JOIN_MEMBER);
  });

  it('a member that there is not', () => mistake('no-such-cluster', 'describe cluster nobody'));

  it('pod addresses in common', async () => {
    federation.host.seed(nodes, { metadata: { name: 'a' }, spec: { podCIDRs: ['10.1.0.0/16'] } });
    federation.member.seed(nodes, { metadata: { name: 'a' }, spec: { podCIDRs: ['10.1.0.0/24'] } });
    await mistake('overlapping-addresses', 'check --kubeconfig /member.yaml');
  });
});

describe('the page of mistakes', () => {
  it('has no row that no test is about', () => {
    const tests = ['test/unit/kosmosctl', 'test/integration/kosmosctl', 'test/e2e', 'test/support'].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => readFileSync(join(folder, file), 'utf8')),
    );
    const isUsed = (name: string): boolean => tests.some((text) => text.includes(`'${name}'`));
    expect(Object.keys(MISTAKES).filter((name) => !isUsed(name))).to.deep.equal([]);
  });
});
