import type { KubeObject } from '../../apis/core.js';
import { agentManifests } from '../manifests/agent.js';
import type { ImageName } from '../manifests/image-name.js';
import type { Manifest } from '../manifests/installation.js';
import { resolve } from '../manifests/template.js';
import { DEFAULT_VALUES } from '../manifests/values.js';
import { isManaged, MANAGED_BY, MANAGED_BY_LABEL } from '../managed-by.js';
import { identityLabels, ownerOf, type MemberIdentity } from './identity.js';

/** The kind that agents read what is wanted from. */
export const NODE_CONFIG_CRD = 'nodeconfigs.kosmos.io';

/** What differs from member to member. */
export interface AgentSettings {
  readonly image: ImageName;
  /** Secrets of its namespace with which nodes pull it. */
  readonly pullSecrets: readonly string[];
  /** Folder of the nodes for what agents remember. */
  readonly stateDir: string;
  /** Of this program. */
  readonly version: string;
}

interface Labelled {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
}

/** The agents of a member, with all that belongs to them; they go with the identity of the manager there. */
export function memberAgents(identity: MemberIdentity, roleUid: string, settings: AgentSettings): readonly Manifest[] {
  const { image, pullSecrets, stateDir, version } = settings;
  const { clusterLink, logLevel } = DEFAULT_VALUES;
  const values = {
    image: { ...DEFAULT_VALUES.image, ...image, pullSecrets: pullSecrets.map((name) => ({ name })) },
    clusterLink: { agent: { ...clusterLink.agent, stateDir } },
    ...{ logLevel, version, namespace: identity.namespace },
  };
  return agentManifests(identity.cluster).map((template) => {
    const manifest = resolve(template, values) as Manifest & Labelled;
    const labels = { ...manifest.metadata.labels, ...identityLabels(identity) };
    const metadata = { ...manifest.metadata, labels, ownerReferences: [ownerOf(identity, roleUid)] };
    return { ...withPodLabels(manifest, identityLabels(identity)), metadata };
  });
}

/** Pods carry them as well, so that whoever looks for what is left finds them. */
function withPodLabels(manifest: Manifest & Labelled, more: Readonly<Record<string, string>>): Manifest {
  if (manifest.kind !== 'DaemonSet') return manifest;
  const { spec } = manifest as unknown as { spec: { template: Labelled } };
  const { template } = spec;
  const metadata = { ...template.metadata, labels: { ...template.metadata.labels, ...more } };
  return { ...manifest, spec: { ...spec, template: { ...template, metadata } } };
}

/** The CRD for a member; it goes with the last identity, unless somebody else made it. */
export function memberCrd(
  crd: Manifest,
  present: KubeObject | undefined,
  { identity, roleUid }: { readonly identity: MemberIdentity; readonly roleUid: string },
): Manifest {
  const isOurs = present === undefined || isManaged(present);
  if (!isOurs) return crd;
  const labels = { ...crd.metadata?.labels, [MANAGED_BY_LABEL]: MANAGED_BY };
  return { ...crd, metadata: { ...crd.metadata, labels, ownerReferences: [ownerOf(identity, roleUid)] } };
}
