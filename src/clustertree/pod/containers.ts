import type { EnvFromSource, EnvVar } from '../../apis/core.js';
import type { Findings } from './findings.js';
import { refuseNeed } from './needs.js';

/** What the containers, init containers and ephemeral containers of a pod have in common here. */
interface AnyContainer {
  readonly name: string;
  readonly env?: readonly EnvVar[] | undefined;
  readonly envFrom?: readonly EnvFromSource[] | undefined;
  readonly volumeMounts?: readonly { readonly name: string }[] | undefined;
  readonly resources?: { readonly claims?: readonly object[] | undefined } | undefined;
}

/** What every container of one host pod is translated with. */
export interface ContainerContext {
  readonly hostUid: string;
  readonly serviceAccountName: string;
  readonly serviceEnvironment: readonly EnvVar[];
  /** Volumes that don't travel; their mounts go too. */
  readonly removedVolumes: ReadonlySet<string>;
}

/**
 * The container as it runs in the member. `path` is where it stands in the host pod, for messages. Values of
 * ConfigMaps and Secrets are never put in place of a reference.
 */
export function translateContainer<T extends AnyContainer>(
  container: T,
  path: string,
  context: ContainerContext,
  findings: Findings,
): T {
  if (container.resources?.claims?.length) refuseNeed(findings, `${path}.resources.claims`, 'NeedsResourceClaim');
  const own = translateEnv(container.env ?? [], path, context, findings);
  const taken = new Set(own.map((variable) => variable.name));
  const env = [...context.serviceEnvironment.filter((variable) => !taken.has(variable.name)), ...own];
  const envFrom = (container.envFrom ?? []).filter((source, index) =>
    keepEnvFrom(source, `${path}.envFrom[${index}]`, findings),
  );
  const mounts = (container.volumeMounts ?? []).filter((mount) => !context.removedVolumes.has(mount.name));
  return {
    ...container,
    env: env.length > 0 ? env : undefined,
    envFrom: envFrom.length > 0 ? envFrom : undefined,
    volumeMounts: mounts.length > 0 ? mounts : undefined,
  };
}

function translateEnv(
  env: readonly EnvVar[],
  path: string,
  context: ContainerContext,
  findings: Findings,
): readonly EnvVar[] {
  return env.flatMap((variable) => {
    const source = variable.valueFrom;
    if (!source) return [variable];
    const where = `${path}.env[${variable.name}].valueFrom`;
    if (source.configMapKeyRef) {
      return lose(source.configMapKeyRef, `${where}.configMapKeyRef`, 'NeedsConfigMap', findings);
    }
    if (source.secretKeyRef) return lose(source.secretKeyRef, `${where}.secretKeyRef`, 'NeedsSecret', findings);
    return [literalField(variable, context)];
  });
}

/** The member's kubelet answers field references, except those whose answer differs between host and member. */
function literalField(variable: EnvVar, context: ContainerContext): EnvVar {
  switch (variable.valueFrom?.fieldRef?.fieldPath) {
    case 'metadata.uid':
      return { name: variable.name, value: context.hostUid };
    case 'spec.serviceAccountName':
      return { name: variable.name, value: context.serviceAccountName };
    default:
      return variable;
  }
}

/** A missing optional object leaves a variable unset; a mandatory one refuses the pod. */
function lose(
  reference: { readonly optional?: boolean | undefined },
  path: string,
  need: 'NeedsConfigMap' | 'NeedsSecret',
  findings: Findings,
): [] {
  if (reference.optional === true) findings.drop(path, 'optional reference to an object that is not copied');
  else refuseNeed(findings, path, need);
  return [];
}

function keepEnvFrom(source: EnvFromSource, path: string, findings: Findings): boolean {
  if (source.configMapRef) lose(source.configMapRef, `${path}.configMapRef`, 'NeedsConfigMap', findings);
  else if (source.secretRef) lose(source.secretRef, `${path}.secretRef`, 'NeedsSecret', findings);
  else return true;
  return false;
}
