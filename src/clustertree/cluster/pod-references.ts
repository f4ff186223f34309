import type { EnvFromSource, EnvVar, Pod, PodSpec, Volume } from '../../apis/core.js';

/** Where in a pod a reference stands; a kubelet words its complaints by it. */
export type Use =
  | { readonly volume: string }
  | { readonly container: string }
  /** Of the pod itself: the secrets to pull images with. */
  | { readonly pull: true };

/** A ConfigMap or a Secret of the pod's namespace that the pod refers to. */
export interface ReferencedObject {
  readonly name: string;
  /** Whether every reference to it is optional. */
  readonly optional: boolean;
  /** The first mandatory reference, or the first. */
  readonly use: Use;
}

/** One `serviceAccountToken` source of a projected volume. */
export interface TokenReference {
  readonly volume: string;
  /** Key of the token in the pod's Secret in the member; of no other source of the pod. */
  readonly key: string;
  /** The API server's own when absent. */
  readonly audience?: string | undefined;
  readonly expirationSeconds?: number | undefined;
}

/** A PersistentVolumeClaim of the pod's namespace. */
export interface ClaimReference {
  readonly claimName: string;
  readonly volume: string;
  /** Made from the pod for the pod: a generic ephemeral volume. */
  readonly ephemeral: boolean;
  readonly readOnly: boolean;
}

/** Everything outside a pod that it refers to, each object once. */
export interface PodReferences {
  readonly configMaps: readonly ReferencedObject[];
  readonly secrets: readonly ReferencedObject[];
  readonly serviceAccountName: string;
  readonly tokens: readonly TokenReference[];
  readonly claims: readonly ClaimReference[];
}

/** Volume sources that name a Secret, and the field that names it. */
const SECRET_FIELDS = {
  azureFile: 'secretName',
  cephfs: 'secretRef',
  cinder: 'secretRef',
  csi: 'nodePublishSecretRef',
  flexVolume: 'secretRef',
  iscsi: 'secretRef',
  rbd: 'secretRef',
  scaleIO: 'secretRef',
  storageos: 'secretRef',
} as const;

type AnyContainer = {
  readonly name: string;
  readonly env?: readonly EnvVar[] | undefined;
  readonly envFrom?: readonly EnvFromSource[] | undefined;
};
type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];
type Optional = { readonly name?: string | undefined; readonly optional?: boolean | undefined };

/** All references of a host pod, found in one walk of its spec. */
export function podReferences(pod: Pod): PodReferences {
  const spec: PodSpec = pod.spec ?? { containers: [] };
  const walk = new Walk(pod.metadata?.name ?? '');
  (spec.volumes ?? []).forEach((volume, index) => walk.volume(volume, index));
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) walk.container(container, false);
  // The pod runs already: what a debug container lacks keeps only that one from starting.
  for (const container of spec.ephemeralContainers ?? []) walk.container(container, true);
  // A kubelet goes on without a pull secret that it can't find.
  for (const { name } of spec.imagePullSecrets ?? []) walk.secrets.add({ name, optional: true }, { pull: true });
  return {
    configMaps: walk.configMaps.list(),
    secrets: walk.secrets.list(),
    serviceAccountName: spec.serviceAccountName || 'default',
    tokens: walk.tokens,
    claims: walk.claims,
  };
}

/** Key of the token that one source of a projected volume becomes; both are places in the pod's lists. */
export function tokenKey(volumeIndex: number, sourceIndex: number): string {
  return `token-${volumeIndex}-${sourceIndex}`;
}

/** Name of the claim that the host's controller makes for a generic ephemeral volume (KEP-1698). */
export function ephemeralClaimName(podName: string, volume: string): string {
  return `${podName}-${volume}`;
}

class Walk {
  readonly configMaps = new ReferenceList();
  readonly secrets = new ReferenceList();
  readonly tokens: TokenReference[] = [];
  readonly claims: ClaimReference[] = [];
  readonly #podName: string;

  constructor(podName: string) {
    this.#podName = podName;
  }

  volume(volume: Volume, index: number): void {
    const use = { volume: volume.name };
    if (volume.configMap) this.configMaps.add(volume.configMap, use);
    if (volume.secret) this.secrets.add({ ...volume.secret, name: volume.secret.secretName }, use);
    for (const name of secretNames(volume)) this.secrets.add({ name }, use);
    volume.projected?.sources?.forEach((source, place) =>
      this.#projection(source, volume.name, tokenKey(index, place)),
    );
    this.#claim(volume);
  }

  container(container: AnyContainer, optional: boolean): void {
    const use = { container: container.name };
    const weaken = (reference: Optional): Optional => (optional ? { ...reference, optional } : reference);
    for (const { valueFrom } of container.env ?? []) {
      if (valueFrom?.configMapKeyRef) this.configMaps.add(weaken(valueFrom.configMapKeyRef), use);
      if (valueFrom?.secretKeyRef) this.secrets.add(weaken(valueFrom.secretKeyRef), use);
    }
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      if (configMapRef) this.configMaps.add(weaken(configMapRef), use);
      if (secretRef) this.secrets.add(weaken(secretRef), use);
    }
  }

  #projection(source: Projection, volume: string, key: string): void {
    if (source.configMap) this.configMaps.add(source.configMap, { volume });
    if (source.secret) this.secrets.add(source.secret, { volume });
    if (source.serviceAccountToken === undefined) return;
    const { audience, expirationSeconds } = source.serviceAccountToken;
    this.tokens.push({ volume, key, audience, expirationSeconds });
  }

  #claim({ name: volume, persistentVolumeClaim: claim, ephemeral }: Volume): void {
    if (claim) {
      this.claims.push({ claimName: claim.claimName, volume, ephemeral: false, readOnly: claim.readOnly === true });
    }
    if (ephemeral) {
      this.claims.push({
        claimName: ephemeralClaimName(this.#podName, volume),
        volume,
        ephemeral: true,
        readOnly: false,
      });
    }
  }
}

function secretNames(volume: Volume): readonly string[] {
  return Object.entries(SECRET_FIELDS).flatMap(([source, field]) => {
    const value = volume[source as keyof typeof SECRET_FIELDS] as Readonly<Record<string, unknown>> | undefined;
    const named = value?.[field] as string | { readonly name?: string } | undefined;
    const name = typeof named === 'object' ? named.name : named;
    return name ? [name] : [];
  });
}

/** Objects of one kind by name; a mandatory reference outweighs optional ones. */
class ReferenceList {
  readonly #found = new Map<string, ReferencedObject>();

  add({ name, optional }: Optional, use: Use): void {
    if (!name) return;
    const reference = { name, optional: optional === true, use };
    const known = this.#found.get(name);
    if (known === undefined || (known.optional && !reference.optional)) this.#found.set(name, reference);
  }

  list(): readonly ReferencedObject[] {
    return [...this.#found.values()];
  }
}
