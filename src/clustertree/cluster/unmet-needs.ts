import type { UnmetNeed } from './pod-needs.js';
import type { ReferencedObject, Use } from './pod-references.js';

/** How a kubelet calls a kind in its messages, for instance `configmap`. */
export type KindWord = 'configmap' | 'secret' | 'persistentvolumeclaim';

/** The Event of a kubelet that can't find a mandatory object. */
export function missingObject(word: KindWord, { name, use }: ReferencedObject): UnmetNeed {
  return complaint(use, `${word} "${name}" not found`);
}

/** An object of the name is in the member, and isn't ours. */
export function foreignObject(word: KindWord, { name, use }: ReferencedObject, clusterName: string): UnmetNeed {
  const { message } = complaint(use, `${word} "${name}" of member cluster ${clusterName} belongs to somebody else`);
  return { reason: 'ForeignObject', message: `${message}. It is left alone; remove or rename one of the two.` };
}

/** The member turned the copy down. `why` must not quote the object. */
export function refusedObject(word: KindWord, { name, use }: ReferencedObject, why: string): UnmetNeed {
  return complaint(use, `${word} "${name}" is refused by the member: ${why}`);
}

/** As a kubelet words what keeps a pod from starting, by where the cause stands in the pod. */
export function complaint(use: Use, what: string): UnmetNeed {
  if ('volume' in use) {
    return { reason: 'FailedMount', message: `MountVolume.SetUp failed for volume "${use.volume}" : ${what}` };
  }
  if ('container' in use) return { reason: 'Failed', message: `Error: ${what}` };
  return { reason: 'FailedToRetrieveImagePullSecret', message: `Unable to retrieve an image pull secret: ${what}` };
}
