import type { Container, Pod } from '../../apis/core.js';

type RestartRule = NonNullable<Container['restartPolicyRules']>[number];

/** True when an API server lets the status of this container of the pod go from terminated to anything else. */
export function mayLeaveTerminated(pod: Pod, container: Container, exitCode: number): boolean {
  const { containers = [], initContainers = [], restartPolicy } = pod.spec ?? {};
  if (restartsAll([...containers, ...initContainers])) return true;
  // Rules count only beside a policy of the container itself.
  const rules = container.restartPolicy === undefined ? [] : (container.restartPolicyRules ?? []);
  if (rules.find((rule) => applies(rule, exitCode))?.action === 'Restart') return true;
  return policyRestarts(container.restartPolicy ?? restartPolicy, exitCode);
}

function policyRestarts(policy: string | undefined, exitCode: number): boolean {
  if (policy === 'OnFailure') return exitCode !== 0;
  return policy !== 'Never';
}

/** A container with such a rule restarts all others with it, whatever their own policies. */
function restartsAll(containers: readonly Container[]): boolean {
  const rules = containers.flatMap((container) => container.restartPolicyRules ?? []);
  return rules.some((rule) => rule.action === 'RestartAllContainers');
}

function applies(rule: RestartRule, exitCode: number): boolean {
  const isListed = rule.exitCodes?.values?.includes(exitCode) ?? false;
  return rule.exitCodes?.operator === 'NotIn' ? !isListed : isListed;
}
