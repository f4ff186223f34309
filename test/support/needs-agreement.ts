import { isDeepStrictEqual } from 'node:util';
import type { Claim, ConfigMap, KubeObject, Pod, Secret } from '../../src/apis/core.js';
import {
  CLUSTER_LABEL,
  HOST_UID_ANNOTATION,
  MEMBER_CSI_DRIVER,
  ONE_WAY_ANNOTATION,
  PROVISIONED_BY_ANNOTATION,
} from '../../src/apis/names.js';
import { hostConfigMapName, tokenSecretName } from '../../src/clustertree/cluster/member-names.js';
import { podReferences, type ReferencedObject } from '../../src/clustertree/cluster/pod-references.js';
import type { KubeClient } from '../../src/kube/client.js';
import {
  claims,
  configMaps,
  objectKey,
  pods,
  secrets,
  serviceAccounts,
  volumes,
  type ResourceType,
} from '../../src/kube/resource.js';
import type { Federation } from './federation.js';

/** What one side has of the kinds that go with pods, in the namespaces that are looked at, by key. */
interface Side {
  readonly pods: ReadonlyMap<string, Pod>;
  readonly configMaps: ReadonlyMap<string, ConfigMap>;
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly serviceAccounts: ReadonlyMap<string, KubeObject>;
  readonly claims: ReadonlyMap<string, Claim>;
}

/**
 * Everything in which host and members don't agree about what pods need, in words; empty when they do. For each host pod
 * whose needs are met there is a copy; what a copy refers to is there, with the host's content; and there is nothing of
 * ours that no pod, or no claim, stands behind. Volumes are looked at in all namespaces.
 */
export async function needsDisagreements(
  federation: Federation,
  isLookedAt: (namespace: string) => boolean,
): Promise<string[]> {
  const host = await readSide(federation.host, isLookedAt);
  const sides = federation.lab.members.map(async ({ name }) => {
    const member = await readSide(federation.client(name), isLookedAt, `${CLUSTER_LABEL}=${name}`);
    const problems = [...podProblems(name, host, member), ...claimProblems(host, member)];
    return [...problems, ...(await memberVolumeProblems(federation.client(name)))].map((text) => `${name}: ${text}`);
  });
  return [...(await Promise.all(sides)).flat(), ...(await hostVolumeProblems(federation.host))];
}

/** The namespaces' objects of ours in a member, but for its pods, as `kind namespace/name`. */
export async function needsLeft(
  federation: Federation,
  isLookedAt: (namespace: string) => boolean,
): Promise<readonly string[]> {
  const sides = federation.lab.members.map(async ({ name }) => {
    const { pods: _pods, ...kinds } = await readSide(federation.client(name), isLookedAt, `${CLUSTER_LABEL}=${name}`);
    const left = Object.entries(kinds).flatMap(([kind, found]) => [...found.keys()].map((key) => `${kind} ${key}`));
    const made = (await federation.client(name).list(volumes)).items.map((volume) => `volume ${objectKey(volume)}`);
    return [...left, ...made].map((text) => `${name}: ${text}`);
  });
  return (await Promise.all(sides)).flat();
}

function podProblems(cluster: string, host: Side, member: Side): readonly string[] {
  const here = [...host.pods.values()].filter((pod) => pod.spec?.nodeName === `kosmos-${cluster}`);
  const wanted = new Wanted();
  const problems: string[] = [];
  for (const pod of here) {
    const copy = member.pods.get(objectKey(pod));
    const isThere = copy !== undefined && hostUidOf(copy) === pod.metadata?.uid;
    const missing = missingNeeds(pod, host);
    if (!isThere && missing.length === 0) problems.push(`${objectKey(pod)} has all it needs and no copy`);
    wanted.add(pod, isThere);
  }
  const uids = new Set(here.map(({ metadata }) => metadata?.uid));
  const orphans = [...member.pods.values()].filter((copy) => !uids.has(hostUidOf(copy)));
  return [
    ...problems,
    ...orphans.map((copy) => `pod ${objectKey(copy)} is an orphan`),
    ...contentProblems('configmap', wanted.configMaps, host.configMaps, member.configMaps),
    ...contentProblems('secret', wanted.secrets, host.secrets, member.secrets),
    ...presenceProblems('serviceaccount', wanted.accounts, member.serviceAccounts),
  ];
}

/** What pods in one member refer to, by the key in the host; true when it has to be there. */
class Wanted {
  readonly configMaps = new Map<string, boolean>();
  readonly secrets = new Map<string, boolean>();
  readonly accounts = new Map<string, boolean>();

  add(pod: Pod, isThere: boolean): void {
    const { namespace = '', uid = '' } = pod.metadata ?? {};
    const references = podReferences(pod);
    const note = (found: Map<string, boolean>, name: string): void => {
      const key = `${namespace}/${name}`;
      found.set(key, isThere || found.get(key) === true);
    };
    for (const { name } of references.configMaps) note(this.configMaps, name);
    for (const { name } of references.secrets) note(this.secrets, name);
    // The member makes the default ones itself.
    if (references.serviceAccountName !== 'default') note(this.accounts, references.serviceAccountName);
    if (references.tokens.length > 0) note(this.secrets, tokenSecretName(uid));
  }
}

/** Mandatory needs of a pod that the host itself can't meet. */
function missingNeeds(pod: Pod, host: Side): readonly string[] {
  const { namespace = '' } = pod.metadata ?? {};
  const references = podReferences(pod);
  const isMissing = (found: ReadonlyMap<string, KubeObject>, name: string): boolean => {
    const object = found.get(`${namespace}/${name}`);
    return object === undefined || object.metadata?.deletionTimestamp !== undefined;
  };
  const names = (list: readonly ReferencedObject[]): string[] =>
    list.filter(({ optional }) => !optional).map(({ name }) => name);
  return [
    ...names(references.configMaps).filter((name) => isMissing(host.configMaps, name)),
    ...names(references.secrets).filter((name) => isMissing(host.secrets, name)),
    ...[references.serviceAccountName].filter((name) => isMissing(host.serviceAccounts, name)),
    ...references.claims.map(({ claimName }) => claimName).filter((name) => isMissing(host.claims, name)),
  ];
}

function contentProblems(
  word: string,
  wanted: ReadonlyMap<string, boolean>,
  host: ReadonlyMap<string, ConfigMap | Secret>,
  member: ReadonlyMap<string, ConfigMap | Secret>,
): readonly string[] {
  const copies = new Map([...member.values()].map((copy) => [hostKeyOf(word, copy), copy]));
  const problems: string[] = [];
  for (const [key, isNeeded] of wanted) {
    const original = host.get(key);
    const copy = copies.get(key);
    copies.delete(key);
    if (key.includes('/kosmos-token-')) {
      if (isNeeded && copy === undefined) problems.push(`secret ${key} is missing`);
    } else if (original === undefined) {
      if (copy !== undefined) problems.push(`${word} ${key} is gone in the host`);
    } else if (copy === undefined) {
      if (isNeeded) problems.push(`${word} ${key} is missing`);
    } else if (!isSameContent(original, copy)) problems.push(`${word} ${key} is not what the host has`);
  }
  return [...problems, ...[...copies.keys()].map((key) => `${word} ${key} is an orphan`)];
}

function presenceProblems(
  word: string,
  wanted: ReadonlyMap<string, boolean>,
  member: ReadonlyMap<string, KubeObject>,
): readonly string[] {
  const missing = [...wanted].filter(([key, isNeeded]) => isNeeded && !member.has(key));
  const orphans = [...member.keys()].filter((key) => !wanted.has(key) && !key.endsWith('/default'));
  return [
    ...missing.map(([key]) => `${word} ${key} is missing`),
    ...orphans.map((key) => `${word} ${key} is an orphan`),
  ];
}

function isSameContent(original: ConfigMap & Secret, copy: ConfigMap & Secret): boolean {
  const isOriginals = hostUidOf(copy) === original.metadata?.uid;
  return isOriginals && isDeepStrictEqual([original.data, original.type], [copy.data, copy.type]);
}

function hostKeyOf(word: string, copy: KubeObject): string {
  const { namespace = '', name = '' } = copy.metadata ?? {};
  return `${namespace}/${word === 'configmap' ? hostConfigMapName(name) : name}`;
}

/** Claims in the member are those of the host, of that very UID, and of the size that the host asks for. */
function claimProblems(host: Side, member: Side): readonly string[] {
  return [...member.claims].flatMap(([key, copy]) => {
    const original = host.claims.get(key);
    if (original === undefined || hostUidOf(copy) !== original.metadata?.uid) return [`claim ${key} is an orphan`];
    // One that the member has not bound yet grows when it is.
    if (copy.metadata?.annotations?.[ONE_WAY_ANNOTATION] !== undefined || copy.status?.phase !== 'Bound') return [];
    const sizes = [original.spec, copy.spec].map((spec) => spec?.resources?.requests?.['storage']);
    const capacities = [original.status, copy.status].map((status) => status?.capacity?.['storage']);
    const isSame = sizes[0] === sizes[1] && capacities[0] === capacities[1];
    return isSame ? [] : [`claim ${key} is ${sizes.join(' / ')}, has ${capacities.join(' / ')}`];
  });
}

/** Volumes that a provisioner made, and ours, have their claims. */
async function memberVolumeProblems(client: KubeClient): Promise<readonly string[]> {
  const found = new Set((await client.list(claims)).items.map(({ metadata }) => metadata?.uid));
  const made = (await client.list(volumes)).items.filter(
    ({ metadata }) =>
      metadata?.annotations?.[PROVISIONED_BY_ANNOTATION] !== undefined ||
      metadata?.annotations?.[HOST_UID_ANNOTATION] !== undefined,
  );
  const lost = made.filter(({ spec }) => !found.has(spec?.claimRef?.uid));
  return lost.map((volume) => `volume ${objectKey(volume)} has no claim`);
}

async function hostVolumeProblems(client: KubeClient): Promise<readonly string[]> {
  const found = new Set((await client.list(claims)).items.map(({ metadata }) => metadata?.uid));
  const ours = (await client.list(volumes)).items.filter(({ spec }) => spec?.csi?.driver === MEMBER_CSI_DRIVER);
  const lost = ours.filter(({ spec }) => !found.has(spec?.claimRef?.uid));
  return lost.map((volume) => `host: volume ${objectKey(volume)} has no claim`);
}

async function readSide(
  client: KubeClient,
  isLookedAt: (namespace: string) => boolean,
  labelSelector?: string,
): Promise<Side> {
  const read = async <T extends KubeObject>(type: ResourceType<T>): Promise<ReadonlyMap<string, T>> => {
    const { items } = await client.list(type, { labelSelector });
    const kept = items.filter(({ metadata }) => isLookedAt(metadata?.namespace ?? ''));
    return new Map(kept.map((object) => [objectKey(object), object]));
  };
  const [foundPods, foundConfigMaps, foundSecrets, foundAccounts, foundClaims] = await Promise.all([
    read(pods),
    read(configMaps),
    read(secrets),
    read(serviceAccounts),
    read(claims),
  ]);
  return {
    pods: foundPods,
    configMaps: foundConfigMaps,
    secrets: foundSecrets,
    serviceAccounts: foundAccounts,
    claims: foundClaims,
  };
}

function hostUidOf({ metadata }: KubeObject): string | undefined {
  return metadata?.annotations?.[HOST_UID_ANNOTATION];
}
