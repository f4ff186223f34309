import type { EnvFromSource, EnvVar } from '../../apis/core.js';
import { isReservedName, memberConfigMapName } from '../cluster/member-names.js';
import type { Findings } from './findings.js';
import { refuseNeed, refuseReserved } from './needs.js';

/** What the containers, init containers and ephemeral containers of a pod have in common here. */
interface AnyContainer {
  readonly name: string;
  readonly env?: readonly EnvVar[] | undefined;
  readonly envFrom?: readonly EnvFromSource[] | undefined;
  readonly resources?: { readonly claims?: readonly object[] | undefined } | undefined;
}

/** What every container of one host pod is translated with. */
export interface ContainerContext {
  /** Name of the host's root certificates in the member; the usual one when absent. */
  readonly rootCa?: string | undefined;
  readonly hostUid: string;
  readonly serviceEnvironment: readonly EnvVar[];
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
  const own = (container.env ?? []).map((variable) => translateVariable(variable, path, context, findings));
  const taken = new Set(own.map((variable) => variable.name));
  const env = [...context.serviceEnvironment.filter((variable) => !taken.has(variable.name)), ...own];
  const envFrom = (container.envFrom ?? []).map((source, index) =>
    translateEnvFrom(source, `${path}.envFrom[${index}]`, context, findings),
  );
  return {
    ...container,
    env: env.length > 0 ? env : undefined,
    envFrom: envFrom.length > 0 ? envFrom : undefined,
  };
}

/** The member's kubelet answers references, except the one whose answer differs between host and member. */
function translateVariable(variable: EnvVar, path: string, context: ContainerContext, findings: Findings): EnvVar {
  const source = variable.valueFrom;
  if (source?.fieldRef?.fieldPath === 'metadata.uid') return { name: variable.name, value: context.hostUid };
  const where = `${path}.env[${variable.name}].valueFrom`;
  if (source?.secretKeyRef) refuseIfReserved('Secret', source.secretKeyRef, `${where}.secretKeyRef`, findings);
  if (!source?.configMapKeyRef) return variable;
  refuseIfReserved('ConfigMap', source.configMapKeyRef, `${where}.configMapKeyRef`, findings);
  return { ...variable, valueFrom: { ...source, configMapKeyRef: inMember(source.configMapKeyRef, context) } };
}

function translateEnvFrom(
  source: EnvFromSource,
  path: string,
  context: ContainerContext,
  findings: Findings,
): EnvFromSource {
  if (source.secretRef) refuseIfReserved('Secret', source.secretRef, `${path}.secretRef`, findings);
  if (!source.configMapRef) return source;
  refuseIfReserved('ConfigMap', source.configMapRef, `${path}.configMapRef`, findings);
  return { ...source, configMapRef: inMember(source.configMapRef, context) };
}

interface Reference {
  readonly name?: string | undefined;
}

function inMember<T extends Reference>(reference: T, { rootCa }: ContainerContext): T {
  return reference.name === undefined ? reference : { ...reference, name: memberConfigMapName(reference.name, rootCa) };
}

function refuseIfReserved(kind: 'ConfigMap' | 'Secret', { name }: Reference, path: string, findings: Findings): void {
  if (name !== undefined && isReservedName(kind, name)) refuseReserved(findings, path, name);
}
