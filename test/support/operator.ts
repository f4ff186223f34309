import type { KubeObject } from '../../src/apis/core.js';
import { CLUSTER_LABEL, NODE_LABEL } from '../../src/apis/names.js';
import type { ResourceType } from '../../src/kube/resource.js';
import { CLIENT_LIBRARY } from './in-cluster-client.js';
import type { Role } from './resources.js';

const GROUP = 'test.kosmos.io';

/** What users of the operator write: a database, and in which members it runs. */
export interface Database extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly clusters: readonly string[];
    readonly image: string;
    readonly storageClassName: string;
    readonly greeting: string;
  };
  readonly status?: { readonly ready?: number };
}

export const databases: ResourceType<Database> = {
  apiVersion: `${GROUP}/v1`,
  kind: 'Database',
  plural: 'databases',
  namespaced: true,
};

/** The CRD of databases. */
export const databaseDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `databases.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { kind: 'Database', plural: 'databases', singular: 'database' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

/** What the operator may do in its namespace. */
export const operatorRules: NonNullable<Role['rules']> = [
  { apiGroups: [GROUP], resources: ['databases', 'databases/status'], verbs: ['get', 'list', 'patch'] },
  { apiGroups: [''], resources: ['services', 'secrets', 'configmaps'], verbs: ['get', 'create', 'patch'] },
  { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['get', 'create', 'patch'] },
];

/**
 * `main.mjs` of an operator as there are many: for each database it sees to a Service, a Secret, a ConfigMap and a
 * StatefulSet, and reports how many instances are ready. It looks again and again, as a controller with watches would.
 */
export function operatorProgram(namespace: string): string {
  return `
    import * as client from '${CLIENT_LIBRARY}';
    const config = new client.KubeConfig();
    config.loadFromDefault();
    const objects = client.KubernetesObjectApi.makeApiClient(config);
    const custom = config.makeApiClient(client.CustomObjectsApi);

    async function apply(object) {
      await objects.patch(object, undefined, undefined, 'operator', true, client.PatchStrategy.ServerSideApply);
    }

    function wanted(database) {
      const { name, uid } = database.metadata;
      const { replicas, clusters, image, storageClassName, greeting } = database.spec;
      const owner = { apiVersion: '${GROUP}/v1', kind: 'Database', name, uid, controller: true };
      const metadata = { namespace: '${namespace}', name, labels: { app: name }, ownerReferences: [owner] };
      const expressions = [{ key: '${CLUSTER_LABEL}', operator: 'In', values: clusters }];
      const affinity = {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: expressions }] },
        },
      };
      const selector = { matchLabels: { app: name } };
      const spread = {
        maxSkew: 1,
        topologyKey: '${CLUSTER_LABEL}',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: selector,
      };
      const main = {
        name: 'main',
        image,
        command: ['sh', '-c', 'cp /etc/database/greeting /data/greeting; test -n "$PASSWORD" && exec sleep 3600'],
        env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name, key: 'password' } } }],
        volumeMounts: [
          { name: 'data', mountPath: '/data' },
          { name: 'config', mountPath: '/etc/database' },
        ],
      };
      const podSpec = {
        affinity,
        topologySpreadConstraints: [spread],
        tolerations: [{ key: '${NODE_LABEL}', operator: 'Exists', effect: 'NoSchedule' }],
        terminationGracePeriodSeconds: 1,
        containers: [main],
        volumes: [{ name: 'config', configMap: { name } }],
      };
      const claim = {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '1Gi' } } },
      };
      return [
        { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP: 'None', selector: selector.matchLabels } },
        { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { password: 'of-' + uid } },
        { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { greeting } },
        {
          apiVersion: 'apps/v1',
          kind: 'StatefulSet',
          metadata,
          spec: {
            replicas,
            serviceName: name,
            selector,
            template: { metadata: { labels: { app: name } }, spec: podSpec },
            volumeClaimTemplates: [claim],
            persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
          },
        },
      ];
    }

    const kind = { group: '${GROUP}', version: 'v1', namespace: '${namespace}', plural: 'databases' };
    for (;;) {
      try {
        const { items } = await custom.listNamespacedCustomObject(kind);
        for (const database of items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)) {
          for (const object of wanted(database)) await apply(object);
          const { name } = database.metadata;
          const header = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { namespace: '${namespace}', name } };
          const { status } = await objects.read(header);
          const ready = status.readyReplicas ?? 0;
          if (database.status?.ready === ready) continue;
          const body = [{ op: 'add', path: '/status', value: { ready } }];
          await custom.patchNamespacedCustomObjectStatus({ ...kind, name, body });
        }
      } catch (error) {
        console.log(String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  `;
}
