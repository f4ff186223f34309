import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import type { LabCluster } from '../../hack/lab/cluster.js';
import type { Family } from '../../hack/lab/addresses.js';
import { LAB_IMAGES } from '../../hack/lab/full/images.js';
import { Lab } from '../../hack/lab/lab.js';
import { blocksOf } from '../../hack/lab/network.js';
import { instanceDirectory, instanceFingerprint, runtimeDirectory } from '../../hack/lab/paths.js';
import { run, waitFor } from '../../hack/lab/run.js';
import { NOTHING_LEFT, remainsOf } from './lab-remains.js';

interface PodAddress {
  readonly name: string;
  readonly node: string;
  readonly addresses: readonly string[];
}

interface PodList {
  readonly items: {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly nodeName: string };
    readonly status: { readonly podIPs: { readonly ip: string }[] };
  }[];
}

async function podsOf(cluster: LabCluster, app: string): Promise<PodAddress[]> {
  const path = `/api/v1/namespaces/default/pods?labelSelector=app%3D${app}`;
  const list = (await cluster.api.json('GET', path)) as PodList;
  return list.items.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    node: spec.nodeName,
    addresses: status.podIPs.map(({ ip }) => ip),
  }));
}

function webManifests(): string {
  const labels = { app: 'web' };
  const spread = {
    maxSkew: 1,
    topologyKey: 'kubernetes.io/hostname',
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: labels },
  };
  const container = {
    name: 'web',
    image: LAB_IMAGES.http,
    ports: [{ containerPort: 8080 }],
    readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 },
  };
  const spec = { topologySpreadConstraints: [spread], containers: [container], terminationGracePeriodSeconds: 0 };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec: { selector: labels, ipFamilyPolicy: 'PreferDualStack', ports: [{ port: 80, targetPort: 8080 }] },
  };
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [deployment, service] });
}

const urlOf = (address: string): string => `http://${address.includes(':') ? `[${address}]` : address}`;

/** Boots a lab of full clusters in that family, and looks at all that a cluster must be able to do. */
export function describeFullLab(family: Family): void {
  describe(`the lab with full clusters (${family})`, () => {
    const instance = `e2e-lab-${family}`;
    let lab: Lab;
    let member: LabCluster;
    let block: number | undefined;

    before(async () => {
      await Lab.down(instance);
      lab = await Lab.up({ instance, full: true, members: 1, nodes: 2, hostNodes: 1, family });
      member = lab.cluster('member1');
      [block] = await blocksOf(instanceFingerprint(instance));
      await member.kubectl(['apply', '-f', '-'], { input: webManifests() });
      const client = ['run', 'client', `--image=${LAB_IMAGES.busybox}`, '--restart=Never', '--', 'sleep', '3600'];
      await member.kubectl(client);
      await member.kubectl(['rollout', 'status', 'deployment/web', '--timeout=90s'], { timeoutMs: 100_000 });
      await member.kubectl(['wait', '--for=condition=Ready', 'pod/client', '--timeout=60s']);
    });

    after(() => Lab.down(instance));

    const inClient = (...command: string[]): Promise<{ stdout: string }> =>
      member.kubectl(['exec', 'client', '--', ...command], { timeoutMs: 30_000 });

    it('has real nodes with their zones, in the host too', async () => {
      for (const [cluster, count] of [[lab.host, 1] as const, [member, 2] as const]) {
        const { stdout } = await cluster.kubectl(['get', 'nodes', '-o', 'json']);
        const { items } = JSON.parse(stdout) as {
          items: { metadata: { labels: Record<string, string> }; status: { nodeInfo: Record<string, string> } }[];
        };
        expect(items).to.have.length(count);
        for (const { metadata, status } of items) {
          expect(metadata.labels['topology.kubernetes.io/zone']).to.match(new RegExp(`^${cluster.name}-[ab]$`));
          expect(status.nodeInfo['containerRuntimeVersion']).to.match(/^containerd:/);
        }
      }
    });

    it('gives pods an address of each family and spreads them over the nodes', async () => {
      const pods = await podsOf(member, 'web');
      expect(new Set(pods.map((pod) => pod.node)).size).to.equal(2);
      for (const { addresses } of pods) {
        const families = addresses.map((address) => (address.includes(':') ? 'ipv6' : 'ipv4'));
        expect(families).to.deep.equal(family === 'dual' ? ['ipv4', 'ipv6'] : [family]);
      }
    });

    it('connects pods of the same and of different nodes by their addresses', async () => {
      for (const { name, addresses } of await podsOf(member, 'web')) {
        for (const address of addresses) {
          const { stdout } = await inClient('wget', '-qO-', `${urlOf(address)}:8080/`);
          expect(stdout.trim()).to.equal(name);
        }
      }
    });

    it('reaches a service by its DNS name, and in turn all of its pods', async () => {
      const names = (await podsOf(member, 'web')).map((pod) => pod.name);
      const seen = new Set<string>();
      const probe = async (): Promise<true | undefined> => {
        seen.add((await inClient('wget', '-qO-', 'http://web.default.svc.cluster.local/')).stdout.trim());
        return seen.size === names.length || undefined;
      };
      await waitFor('answers of all pods', probe, { timeoutMs: 60_000 });
      expect([...seen].sort()).to.deep.equal(names.sort());
    });

    it('keeps the address of a client pod on its way to a pod of the same cluster', async () => {
      const client = await member.kubectl(['get', 'pod', 'client', '-o', 'jsonpath={.status.podIPs[*].ip}']);
      const { stdout } = await inClient('wget', '-qO-', 'http://web/cgi-bin/echo?a=b');
      expect(stdout).to.contain('query=a=b');
      expect(client.stdout.split(' ').some((address) => stdout.includes(address))).to.equal(true);
    });

    it('returns the exit code of a command in a container', async () => {
      const result = await member.kubectl(['exec', 'client', '--', 'sh', '-c', 'exit 3'], { allowFailure: true });
      expect(result.code).to.equal(3);
    });

    it('passes standard input to a command in a container', async () => {
      const { stdout } = await member.kubectl(['exec', '-i', 'client', '--', 'cat'], { input: 'hello' });
      expect(stdout).to.equal('hello');
    });

    it('shows the log of a container', async () => {
      const say = ['run', 'say', `--image=${LAB_IMAGES.busybox}`, '--restart=Never', '--', 'echo', 'said it'];
      await member.kubectl(say);
      await member.kubectl(['wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/say', '--timeout=60s']);
      expect((await member.kubectl(['logs', 'say'])).stdout).to.equal('said it\n');
    });

    it('gives pods a service account token that the API server knows, and a way to the API server', async () => {
      const token = (await inClient('cat', '/var/run/secrets/kubernetes.io/serviceaccount/token')).stdout;
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
      const review = (await member.api.json('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { body })) as {
        status: { user: { username: string } };
      };
      expect(review.status.user.username).to.equal('system:serviceaccount:default:default');
      await inClient('sh', '-c', 'nc -w 5 kubernetes.default.svc.cluster.local 443 < /dev/null');
    });

    it('answers stats of a node through the API server', async () => {
      const summary = (await member.api.json('GET', '/api/v1/nodes/member1-node2/proxy/stats/summary')) as {
        node: { nodeName: string };
      };
      expect(summary.node.nodeName).to.equal('member1-node2');
    });

    it('goes on after a restart of a kubelet', async () => {
      await member.stopComponent('kubelet', 'SIGTERM', 2);
      await member.startComponent('kubelet', 2);
      await member.waitForNodes(['member1-node2']);
      const { stdout } = await member.kubectl([
        'get',
        'pods',
        '-o',
        'jsonpath={.items[*].status.containerStatuses[*].restartCount}',
      ]);
      expect(stdout).to.match(/^[0 ]+$/);
    });

    it('leaves nothing behind after down: no process, mount, control group, interface or file', async () => {
      await lab.down();
      expect(await remainsOf(instance, block)).to.deep.equal(NOTHING_LEFT);
      const outside = await run('find', ['/run', '/var/log/containers', '/var/lib/cni', '-name', '*kosmos-lab*'], {
        allowFailure: true,
      });
      expect(outside.stdout).to.not.contain(runtimeDirectory(instance));
      expect(readFileSync('/proc/self/mounts', 'utf8')).to.not.contain(instanceDirectory(instance));
    });
  });
}
