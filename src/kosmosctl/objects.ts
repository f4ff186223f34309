import type { KubeObject } from '../apis/core.js';
import { isNotFound } from '../kube/api-error.js';
import type { KubeClient } from '../kube/client.js';
import {
  csiDrivers,
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  namespaces,
  pods,
  secrets,
  serviceAccounts,
  services,
  type ObjectRef,
  type ResourceType,
} from '../kube/resource.js';
import { clusters } from '../kube/kosmos-resources.js';
import { CliError } from './failure.js';
import type { Manifest } from './manifests/installation.js';

const RBAC = 'rbac.authorization.k8s.io/v1';
const MULTICLUSTER = 'multicluster.x-k8s.io/v1alpha1';
const MONITORING = 'monitoring.coreos.com/v1';

function typeOf(apiVersion: string, kind: string, plural: string, namespaced: boolean): ResourceType<KubeObject> {
  return { apiVersion, kind, plural, namespaced };
}

export const clusterRoles = typeOf(RBAC, 'ClusterRole', 'clusterroles', false);
export const clusterRoleBindings = typeOf(RBAC, 'ClusterRoleBinding', 'clusterrolebindings', false);
export const roles = typeOf(RBAC, 'Role', 'roles', true);
export const roleBindings = typeOf(RBAC, 'RoleBinding', 'rolebindings', true);
export const deployments = typeOf('apps/v1', 'Deployment', 'deployments', true);
export const daemonSets = typeOf('apps/v1', 'DaemonSet', 'daemonsets', true);
export const disruptionBudgets = typeOf('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', true);
export const customResourceDefinitions = typeOf(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  false,
);
export const serviceExports = typeOf(MULTICLUSTER, 'ServiceExport', 'serviceexports', true);
export const serviceImports = typeOf(MULTICLUSTER, 'ServiceImport', 'serviceimports', true);
export const podMonitors = typeOf(MONITORING, 'PodMonitor', 'podmonitors', true);
export const prometheusRules = typeOf(MONITORING, 'PrometheusRule', 'prometheusrules', true);

const KNOWN: readonly ResourceType<KubeObject>[] = [
  ...[clusterRoles, clusterRoleBindings, roles, roleBindings, deployments, daemonSets, disruptionBudgets],
  ...[customResourceDefinitions, podMonitors, prometheusRules],
  ...([namespaces, secrets, serviceAccounts, services] as readonly ResourceType<KubeObject>[]),
  ...([csiDrivers, clusters] as readonly ResourceType<KubeObject>[]),
  ...[mutatingAdmissionPolicies, mutatingAdmissionPolicyBindings],
  ...[serviceExports, serviceImports],
];

/** Field manager of what the command line writes. */
export const CLI_FIELD_MANAGER = 'kosmosctl';

/** Where objects of that kind live. */
export function resourceTypeOf({ apiVersion, kind }: KubeObject): ResourceType<KubeObject> {
  const found = KNOWN.find((type) => type.apiVersion === apiVersion && type.kind === kind);
  if (found === undefined) throw new CliError(`there is no way to apply a ${kind ?? '?'} of ${apiVersion ?? '?'}`);
  return found;
}

/** `Kind namespace/name`, for messages. */
export function nameOfObject({ kind = '', metadata }: KubeObject): string {
  const { namespace, name = '' } = metadata ?? {};
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

export function refOf({ metadata }: KubeObject): ObjectRef {
  return { namespace: metadata?.namespace, name: metadata?.name ?? '' };
}

/**
 * Makes the object what the manifest says, by server-side apply, and returns it. Applying it again changes nothing. With
 * `dryRun` nothing is written, and what is returned is what it would be.
 */
export function applyObject(
  client: KubeClient,
  manifest: Manifest,
  options: { readonly signal: AbortSignal; readonly fieldManager?: string; readonly dryRun?: boolean },
): Promise<KubeObject> {
  const { signal, fieldManager = CLI_FIELD_MANAGER, dryRun } = options;
  const how = { type: 'apply', force: true, fieldManager, fieldValidation: 'Strict', dryRun, signal } as const;
  return client.patch(resourceTypeOf(manifest), refOf(manifest), manifest, how);
}

/** Undefined when there is none. */
export async function findObject<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await client.get(type, ref, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Deletes it with all that belongs to it; tells whether there was one. */
export function deleteObject(
  client: KubeClient,
  type: ResourceType<KubeObject>,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<boolean> {
  return wasThere(client.delete(type, ref, { propagationPolicy: 'Background', signal }));
}

/** Deletes a pod whose containers need no time to end; tells whether there was one. */
export function deletePodSoon(client: KubeClient, ref: ObjectRef, signal: AbortSignal): Promise<boolean> {
  return wasThere(client.delete(pods, ref, { gracePeriodSeconds: 1, signal }));
}

async function wasThere(deletion: Promise<unknown>): Promise<boolean> {
  try {
    await deletion;
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/** All of a kind; none when the API server doesn't serve the kind. */
export async function listIfServed<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  options: { readonly namespace?: string; readonly labelSelector?: string; readonly signal: AbortSignal },
): Promise<readonly T[]> {
  try {
    return (await client.list(type, options)).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}
