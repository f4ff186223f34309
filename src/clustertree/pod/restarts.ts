import type { Container, Pod } from '../../apis/core.js';

type RestartRule = NonNullable<Container['restartPolicyRules']>[number];

/** True when an API server lets the status of this container of the pod go from terminated to anything else. */
export function mayLeaveTerminated(pod: Pod, container: Container, exitCode: number): boolean {
  if (restartsAll(pod.spec?.containers) || restartsAll(pod.spec?.initContainers)) return true;
  if (container.restartPolicy !== undefined) {
    const rule = container.restartPolicyRules?.find((candidate) => applies(candidate, exitCode));
    if (rule?.action === 'Restart') return true;
  }
  switch (container.restartPolicy ?? pod.spec?.restartPolicy) {
    case 'Never':
      return false;
    case 'OnFailure':
      return exitCode !== 0;
    default:
      return true;
  }
}

/** A container with such a rule restarts all others with it, whatever their own policies. */
function restartsAll(containers: readonly Container[] | undefined): boolean {
  const rules = (containers ?? []).flatMap((container) => container.restartPolicyRules ?? []);
  return rules.some((rule) => rule.action === 'RestartAllContainers');
}

function applies(rule: RestartRule, exitCode: number): boolean {
  const isListed = rule.exitCodes?.values?.includes(exitCode) ?? false;
  return rule.exitCodes?.operator === 'NotIn' ? !isListed : isListed;
}
