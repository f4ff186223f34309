import type { KubeObject } from '../../apis/core.js';
import type { CliContext } from '../context.js';
import { CliError } from '../failure.js';
import { nameOf } from '../fields.js';
import { renderObjects, type Format } from '../output/format.js';

/** What was found, and how a person would like to see it. */
export interface Found {
  /** As `-o name` has it. */
  readonly resource: string;
  readonly objects: readonly KubeObject[];
  readonly table: () => string;
}

/** Prints it as it was asked for; one object as itself when it was asked for by name. */
export function printFound(
  { resource, objects, table }: Found,
  { format, name }: { readonly format: Format | undefined; readonly name: string | undefined },
  { terminal }: CliContext,
): void {
  if (format === 'json' || format === 'yaml') {
    terminal.out(renderObjects(objects.map(withoutNoise), format, name !== undefined));
  } else if (format === 'name') terminal.out(objects.map((object) => `${resource}/${nameOf(object)}\n`).join(''));
  else if (objects.length === 0) terminal.err('No resources found\n');
  else terminal.out(table());
}

/** `kubectl apply` keeps there all that it has applied, an inline kubeconfig as well. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Nothing for people is in these fields, and an inline kubeconfig is not to be shown. */
function withoutNoise<T extends KubeObject & { readonly spec?: object | undefined }>(object: T): T {
  const { managedFields: _managed, ...metadata } = object.metadata ?? {};
  const { [LAST_APPLIED]: applied, ...annotations } = metadata.annotations ?? {};
  const { kubeconfig, ...spec } = (object.spec ?? {}) as { kubeconfig?: string };
  return {
    ...object,
    metadata: { ...metadata, ...(applied !== undefined && { annotations }) },
    spec: { ...spec, ...(kubeconfig !== undefined && { kubeconfig: '[redacted]' }) },
  };
}

/** As kubectl says it. */
export function notFound(kind: string, name: string): CliError {
  return new CliError(`there is no ${kind} "${name}"`, {
    cure: 'See what there is: kosmosctl get clusters, kosmosctl get nodes',
  });
}
