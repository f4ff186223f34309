import type { KubeObject } from '../../apis/core.js';
import { isManaged } from '../managed-by.js';
import type { Manifest } from '../manifests/installation.js';
import { applyObject, customResourceDefinitions, findObject, nameOfObject, refOf, resourceTypeOf } from '../objects.js';
import { CliError } from '../failure.js';
import type { ClusterSession } from '../session.js';
import { changesBetween, type FieldChange } from './changes.js';

/** What would become of one object. */
export interface PlannedChange {
  readonly object: string;
  /** Absent when the object is to be made. */
  readonly changes: readonly FieldChange[] | undefined;
}

/** Asks the API server what applying the manifests would change; nothing is written. Objects that stay are left out. */
export async function planChanges(
  { client }: ClusterSession,
  manifests: readonly Manifest[],
  signal: AbortSignal,
): Promise<readonly PlannedChange[]> {
  const planned: PlannedChange[] = [];
  for (const manifest of manifests) {
    const object = nameOfObject(manifest);
    const present = await findObject(client, resourceTypeOf(manifest), refOf(manifest), signal);
    if (present === undefined) {
      planned.push({ object, changes: undefined });
      continue;
    }
    // Somebody else's namespace stays as it is.
    if (manifest.kind === 'Namespace' && !isManaged(present)) continue;
    const changes = changesBetween(present, await applyObject(client, manifest, { signal, dryRun: true }));
    if (changes.length > 0) planned.push({ object, changes });
  }
  return planned;
}

interface Definition extends KubeObject {
  readonly spec?: { readonly versions?: readonly { readonly name: string }[] };
  readonly status?: { readonly storedVersions?: readonly string[] };
}

/** Versions that objects of the kind are stored in, and which the manifest doesn't have. */
export function unknownStoredVersions(present: Definition, wanted: Definition): readonly string[] {
  const known = new Set((wanted.spec?.versions ?? []).map(({ name }) => name));
  return (present.status?.storedVersions ?? []).filter((version) => !known.has(version));
}

/** @throws CliError when objects are stored in a version that this program doesn't know: going back would lose them */
export async function checkStoredVersions(
  { client }: ClusterSession,
  manifests: readonly Manifest[],
  version: string,
  signal: AbortSignal,
): Promise<void> {
  for (const manifest of manifests.filter(({ kind }) => kind === customResourceDefinitions.kind)) {
    const present = await findObject(client, customResourceDefinitions, refOf(manifest), signal);
    const [unknown] = present === undefined ? [] : unknownStoredVersions(present, manifest);
    if (unknown === undefined) continue;
    const { name } = refOf(manifest);
    throw new CliError(`the host has stored ${name} in version ${unknown}, which Kosmos ${version} does not know`, {
      cure: 'Use a kosmosctl that is at least as new as what is installed.',
    });
  }
}
