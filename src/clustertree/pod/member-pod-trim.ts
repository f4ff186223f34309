import type { Container, Pod, PodSpec } from '../../apis/core.js';

/**
 * Of a member pod's spec what {@link diffPod} compares and what tells where it runs. The rest (environment, volumes,
 * probes …) never changes after creation, and the host pod has it too.
 */
export function trimMemberPod(memberPod: Pod): Pod {
  return memberPod.spec === undefined ? memberPod : { ...memberPod, spec: trimSpec(memberPod.spec) };
}

function trimSpec(spec: PodSpec): PodSpec {
  const { nodeName, tolerations, activeDeadlineSeconds, resources, initContainers, ephemeralContainers } = spec;
  return {
    containers: spec.containers.map(trimContainer),
    ...(initContainers && { initContainers: initContainers.map(trimContainer) }),
    ...(ephemeralContainers && { ephemeralContainers: ephemeralContainers.map(({ name }) => ({ name })) }),
    ...(nodeName !== undefined && { nodeName }),
    ...(tolerations && { tolerations }),
    ...(activeDeadlineSeconds !== undefined && { activeDeadlineSeconds }),
    ...(resources && { resources }),
  };
}

function trimContainer({ name, image, resources }: Container): Container {
  return { name, ...(image !== undefined && { image }), ...(resources && { resources }) };
}
