import { expect } from 'chai';
import { metricsServerManifests } from '../../../hack/lab/metrics-server.js';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly [field: string]: unknown;
}

function manifest(kind: string, address = '198.18.0.16'): Manifest | undefined {
  const { items } = metricsServerManifests(address, 'Q0E=') as unknown as { readonly items: readonly Manifest[] };
  return items.find((item) => item.kind === kind);
}

describe('manifests of metrics-server', () => {
  it('register it with a CA that the API server can check it by', () => {
    const spec = manifest('APIService')?.['spec'] as Readonly<Record<string, unknown>>;
    expect(spec).to.include({ group: 'metrics.k8s.io', version: 'v1beta1', caBundle: 'Q0E=' });
    expect(spec).not.to.have.property('insecureSkipTLSVerify');
  });

  it('lead from its Service to the process, by either family', () => {
    expect(manifest('Service')?.['spec']).not.to.have.property('selector');
    expect(manifest('EndpointSlice')).to.deep.include({
      addressType: 'IPv4',
      metadata: {
        name: 'metrics-server',
        namespace: 'kube-system',
        labels: { 'kubernetes.io/service-name': 'metrics-server' },
      },
    });
    expect(manifest('EndpointSlice', 'fd4b::10')).to.include({ addressType: 'IPv6' });
  });

  it('let it read figures of kubelets, and nothing else of them', () => {
    const rules = manifest('ClusterRole')?.['rules'] as readonly { readonly resources: readonly string[] }[];
    expect(rules.flatMap(({ resources }) => resources).filter((name) => name.startsWith('nodes/'))).to.deep.equal([
      'nodes/metrics',
    ]);
  });
});
