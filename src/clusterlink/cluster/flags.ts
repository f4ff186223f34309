import type { Pod } from '../../apis/core.js';

/** What kubeadm and most others put on the pods of a control plane. */
export const COMPONENT_LABEL = 'component';
const API_SERVER = 'kube-apiserver';
const CONTROLLER_MANAGER = 'kube-controller-manager';
/** Selects the pods of kube-system whose flags tell of address ranges. */
export const CONTROL_PLANE_SELECTOR = `${COMPONENT_LABEL} in (${API_SERVER},${CONTROLLER_MANAGER})`;

/** The ranges of Services, as the flags of the API servers that run as pods say. */
export function serviceRangeFlags(pods: readonly Pod[]): readonly string[] {
  return flagsOf(pods, API_SERVER, '--service-cluster-ip-range');
}

/** The ranges of pods, as the flags of the controller managers that run as pods say. */
export function clusterCidrFlags(pods: readonly Pod[]): readonly string[] {
  return flagsOf(pods, CONTROLLER_MANAGER, '--cluster-cidr');
}

/** The items of a list flag, in `--flag=a,b` or `--flag a,b` form, of all containers. */
function flagsOf(pods: readonly Pod[], component: string, flag: string): readonly string[] {
  const ofComponent = pods.filter(({ metadata }) => metadata?.labels?.[COMPONENT_LABEL] === component);
  const lines = ofComponent.flatMap(({ spec }) =>
    (spec?.containers ?? []).map(({ command = [], args = [] }) => [...command, ...args]),
  );
  return lines.flatMap((words) =>
    words.flatMap((word, index) => {
      if (word.startsWith(`${flag}=`)) return items(word.slice(flag.length + 1));
      return word === flag ? items(words[index + 1] ?? '') : [];
    }),
  );
}

function items(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** Of a pod of the control plane, what its flags are read from. */
export function trimControlPlanePod({ metadata, spec }: Pod): Pod {
  const { name, namespace, uid, resourceVersion, labels } = metadata ?? {};
  const containers = (spec?.containers ?? []).map(({ name: container, command, args }) => ({
    name: container,
    ...(command !== undefined && { command }),
    ...(args !== undefined && { args }),
  }));
  return { metadata: { name, namespace, uid, resourceVersion, labels }, spec: { containers } };
}
