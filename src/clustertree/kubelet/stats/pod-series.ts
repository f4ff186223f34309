import { parseExposition, type MetricFamily, type SampleLabels } from './exposition.js';
import type { OwnPod, OwnPods } from './own-pods.js';

/** What a node of the member exposes about pods of one virtual node. */
export interface PodSeries {
  readonly families: readonly MetricFamily[];
  /** The pods that have any series. */
  readonly seen: ReadonlySet<OwnPod>;
}

/**
 * Of what a node of the member exposes, the series that are about pods of the virtual node, with the UIDs of the host.
 * Everything else is left out: series of others' pods, and those of the node itself.
 *
 * Series name their pod by the labels `namespace` and `pod`. Those that also carry its UID, as `pod_uid` or in the
 * path of a control group (`id`), must carry that of the member pod, so that what is left of an earlier pod of the same
 * name doesn't count.
 *
 * @param node of the member that exposes the text.
 */
export function podSeries(text: string, node: string, pods: OwnPods): PodSeries {
  const seen = new Set<OwnPod>();
  const families = parseExposition(text, (labels, written) => {
    const pod = ownerOf(labels, node, pods);
    if (pod === undefined) return undefined;
    seen.add(pod);
    return withHostUid(written, pod);
  });
  return { families, seen };
}

function ownerOf(labels: SampleLabels, node: string, pods: OwnPods): OwnPod | undefined {
  const { namespace, pod: name, pod_uid: uid, id } = labels;
  if (namespace === undefined || name === undefined) return undefined;
  const pod = pods.find(node, namespace, name);
  if (pod === undefined || (uid !== undefined && uid !== pod.memberUid)) return undefined;
  return id === undefined || id.includes(pod.memberUid) || id.includes(systemdForm(pod.memberUid)) ? pod : undefined;
}

function withHostUid(labels: string, { memberUid, hostUid }: OwnPod): string {
  return labels.replaceAll(memberUid, hostUid).replaceAll(systemdForm(memberUid), systemdForm(hostUid));
}

/** In names of systemd slices a dash separates levels, so kubelet writes underscores there. */
function systemdForm(uid: string): string {
  return uid.replaceAll('-', '_');
}
