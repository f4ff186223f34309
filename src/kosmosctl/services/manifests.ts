import type { Service } from '../../apis/core.js';
import type { Manifest } from '../manifests/installation.js';

const API_VERSION = 'multicluster.x-k8s.io/v1alpha1';

interface NamedService {
  readonly namespace: string;
  readonly name: string;
}

/** Says that a Service of the host is there for other clusters. */
export function serviceExportManifest(metadata: NamedService): Manifest {
  return { apiVersion: API_VERSION, kind: 'ServiceExport', metadata };
}

/** Says in a member that a Service of other clusters is wanted there. */
export function serviceImportManifest({ metadata, spec }: Service): Manifest {
  const ports = (spec?.ports ?? []).map(({ name, protocol, appProtocol, port }) => ({
    ...(name !== undefined && { name }),
    ...(protocol !== undefined && { protocol }),
    ...(appProtocol !== undefined && { appProtocol }),
    port,
  }));
  const isHeadless = spec?.clusterIP === undefined || spec.clusterIP === '' || spec.clusterIP === 'None';
  return {
    apiVersion: API_VERSION,
    kind: 'ServiceImport',
    metadata: { namespace: metadata?.namespace ?? '', name: metadata?.name ?? '' },
    spec: { type: isHeadless ? 'Headless' : 'ClusterSetIP', ports },
  };
}
