import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import type { Lab } from '../../../hack/lab/lab.js';
import { waitFor } from '../../../hack/lab/run.js';
import { ExistingDaemonSets, installExclusionPolicy } from '../../../src/clustertree/daemonset/controller.js';
import type { DaemonSet } from '../../../src/apis/core.js';
import type { KubeClient } from '../../../src/kube/client.js';
import { createKubeClient } from '../../../src/kube/http-client.js';
import { Informer } from '../../../src/kube/informer.js';
import { parseKubeconfig } from '../../../src/kube/kubeconfig.js';
import { daemonSets } from '../../../src/kube/resource.js';
import { createTransport } from '../../../src/kube/transport.js';
import { systemClock } from '../../../src/lib/clock.js';
import { silentLogger } from '../../../src/lib/logger.js';
import { sharedHost } from '../../support/shared-lab.js';

const EXCLUDED = { key: 'kosmos.io/node', operator: 'DoesNotExist' };

interface Shape {
  readonly name: string;
  readonly affinity?: object;
  readonly annotations?: Record<string, string>;
  readonly templateAnnotations?: Record<string, string>;
}

function daemonSet({ name, affinity, annotations = {}, templateAnnotations = {} }: Shape): DaemonSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { namespace: 'default', name, annotations },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name }, annotations: templateAnnotations },
        spec: { containers: [{ name: 'main', image: 'registry.k8s.io/pause:3.10.1' }], ...(affinity && { affinity }) },
      },
    },
  };
}

function termsOf(object: DaemonSet): unknown {
  const affinity = object.spec?.template.spec?.affinity?.nodeAffinity;
  return affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
}

const ZONE = { key: 'topology.kubernetes.io/zone', operator: 'In', values: ['a'] };
const FIELD = { key: 'metadata.name', operator: 'In', values: ['n1'] };

function required(...nodeSelectorTerms: object[]): object {
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } };
}

describe('DaemonSets and virtual nodes', () => {
  let lab: Lab;
  let client: KubeClient;

  before(async () => {
    lab = await sharedHost();
    const access = parseKubeconfig(readFileSync(lab.host.kubeconfigPath, 'utf8'), { allowFiles: true });
    client = createKubeClient(createTransport({ access }));
    await client.create(daemonSets, daemonSet({ name: 'older' }));
    const options = { host: client, clock: systemClock, logger: silentLogger };
    await installExclusionPolicy(options, AbortSignal.timeout(30_000));
    await waitFor(
      'the admission policy to be in force',
      async () => {
        const answer = await client.create(daemonSets, daemonSet({ name: 'canary' }), { dryRun: true });
        return termsOf(answer) === undefined ? undefined : true;
      },
      { timeoutMs: 60_000, intervalMs: 500 },
    );
  });

  after(async () => {
    await client.close();
  });

  const cases: { title: string; shape: Shape; terms: unknown }[] = [
    { title: 'no affinity', shape: { name: 'plain' }, terms: [{ matchExpressions: [EXCLUDED] }] },
    {
      title: 'another kind of affinity',
      shape: {
        name: 'pods',
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'pods' } } },
            ],
          },
        },
      },
      terms: [{ matchExpressions: [EXCLUDED] }],
    },
    {
      title: 'only a preference',
      shape: {
        name: 'preferred',
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [ZONE] } }],
          },
        },
      },
      terms: [{ matchExpressions: [EXCLUDED] }],
    },
    {
      title: 'several alternatives',
      shape: { name: 'terms', affinity: required({ matchExpressions: [ZONE] }, { matchFields: [FIELD] }) },
      terms: [{ matchExpressions: [ZONE, EXCLUDED] }, { matchExpressions: [EXCLUDED], matchFields: [FIELD] }],
    },
    {
      title: 'the exclusion already',
      shape: { name: 'excluded', affinity: required({ matchExpressions: [EXCLUDED] }) },
      terms: [{ matchExpressions: [EXCLUDED] }],
    },
  ];
  for (const { title, shape, terms } of cases) {
    it(`excludes virtual nodes for a DaemonSet with ${title}`, async () => {
      expect(termsOf(await client.create(daemonSets, daemonSet(shape)))).to.deep.equal(terms);
    });
  }

  it('leaves a DaemonSet alone that is allowed by an annotation', async () => {
    const allow = { 'kosmos-io/daemonset-allow': 'true' };
    const own = await client.create(daemonSets, daemonSet({ name: 'allowed', annotations: allow }));
    const template = await client.create(daemonSets, daemonSet({ name: 'allowed-2', templateAnnotations: allow }));
    expect([termsOf(own), termsOf(template)]).to.deep.equal([undefined, undefined]);
  });

  it('excludes one that was there before only when told to, and then once', async () => {
    const ref = { namespace: 'default', name: 'older' };
    expect(termsOf(await client.get(daemonSets, ref))).to.equal(undefined);
    const stop = new AbortController();
    const informer = new Informer<DaemonSet>({ client, type: daemonSets });
    const running = informer.run(stop.signal);
    await informer.synced(AbortSignal.timeout(10_000));
    const existing = new ExistingDaemonSets(client, informer);
    await existing.reconcile('default/older', { signal: stop.signal });
    const first = await client.get(daemonSets, ref);
    expect(termsOf(first)).to.deep.equal([{ matchExpressions: [EXCLUDED] }]);
    await existing.reconcile('default/older', { signal: stop.signal });
    expect((await client.get(daemonSets, ref)).metadata?.generation).to.equal(first.metadata?.generation);
    stop.abort();
    await running;
  });
});
