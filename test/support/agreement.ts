import { isDeepStrictEqual } from 'node:util';
import type { Pod } from '../../src/apis/core.js';
import { MEMBER_UID_ANNOTATION, NODE_LABEL } from '../../src/apis/names.js';
import { nodes, pods } from '../../src/kube/resource.js';
import { hostUidOf, isReady, type Federation } from './federation.js';

/**
 * Everything in which host and members don't agree, in words; empty when they do: each host pod that should run has
 * exactly one copy, in the member where it is bound, of the same make and with its state shown in the host; there are no
 * other copies, and every virtual node is Ready.
 *
 * @param mayFail - names of pods whose copy the test itself has taken away.
 */
export async function disagreements(federation: Federation, mayFail: readonly string[] = []): Promise<string[]> {
  const { items } = await federation.host.list(pods);
  const hostPods = items.filter((pod) => pod.spec!.nodeName?.startsWith('kosmos-'));
  const problems = await nodeProblems(federation);
  const copies = new Map<string, Copy>();
  for (const copy of await allCopies(federation)) {
    const uid = hostUidOf(copy.pod)!;
    if (copies.has(uid)) problems.push(`${keyOf(copy.pod)} has two copies`);
    copies.set(uid, copy);
  }
  for (const pod of hostPods) {
    const { name, uid } = pod.metadata!;
    if (!mayFail.includes(name!)) problems.push(...podProblems(pod, copies.get(uid!)));
    copies.delete(uid!);
  }
  for (const { cluster, pod } of copies.values()) problems.push(`${keyOf(pod)} in ${cluster} is an orphan`);
  return problems;
}

interface Copy {
  readonly cluster: string;
  readonly pod: Pod;
}

async function allCopies(federation: Federation): Promise<Copy[]> {
  const lists = federation.lab.members.map(async ({ name: cluster }) => {
    const { items } = await federation.client(cluster).list(pods);
    return items.map((pod) => ({ cluster, pod }));
  });
  return (await Promise.all(lists)).flat().filter(({ pod }) => hostUidOf(pod) !== undefined);
}

function podProblems(pod: Pod, copy: Copy | undefined): string[] {
  const key = keyOf(pod);
  if (copy === undefined) return [`${key} has no copy (phase ${String(pod.status!.phase)})`];
  const inHost = {
    ...stateOf(pod),
    node: pod.spec!.nodeName,
    copy: pod.metadata!.annotations?.[MEMBER_UID_ANNOTATION],
  };
  const inMember = { ...stateOf(copy.pod), node: `kosmos-${copy.cluster}`, copy: copy.pod.metadata!.uid };
  if (isDeepStrictEqual(inHost, inMember) && isReady(pod)) return [];
  return [`${key}: ${JSON.stringify(inHost)} in the host, ${JSON.stringify(inMember)} in the member`];
}

function stateOf({ metadata, spec, status }: Pod): object {
  const image = spec!.containers[0]!.image;
  return { step: metadata!.labels?.['step'], image, phase: status!.phase, address: status!.podIP };
}

async function nodeProblems({ host, lab }: Federation): Promise<string[]> {
  const { items } = await host.list(nodes, { labelSelector: `${NODE_LABEL}=true` });
  const ready = items.filter(
    (node) => node.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True',
  );
  const names = ready.map((node) => node.metadata?.name ?? '').sort();
  const wanted = lab.members.map(({ name }) => `kosmos-${name}`).sort();
  return names.join() === wanted.join() ? [] : [`ready virtual nodes are ${names.join()}, not ${wanted.join()}`];
}

function keyOf({ metadata }: Pod): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
}
