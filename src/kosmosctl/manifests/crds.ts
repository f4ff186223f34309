import type { KubeObject } from '../../apis/core.js';
import type { KubeClient } from '../../kube/client.js';
import type { CliContext } from '../context.js';
import { applyObject, customResourceDefinitions, nameOfObject, refOf } from '../objects.js';
import type { Step } from '../output/steps.js';
import { waitUntil, type Probed } from '../wait.js';
import type { Manifest } from './installation.js';

const LIMIT_MS = 30_000;

/** Applies CRDs and waits until the API server serves them. */
export async function applyServed(
  client: KubeClient,
  crds: readonly Manifest[],
  report: (detail: string) => void,
  { clock, signal }: Pick<CliContext, 'clock' | 'signal'>,
): Promise<void> {
  for (const crd of crds) await applyObject(client, crd, { signal });
  for (const crd of crds) {
    const probe = async (): Promise<Probed<true>> =>
      isEstablished(await client.get(customResourceDefinitions, refOf(crd), { signal }))
        ? { found: true }
        : { pending: `${nameOfObject(crd)} is not served yet` };
    await waitUntil('CRDs', probe, report, { clock, signal, timeoutMs: LIMIT_MS });
  }
}

/** The step that does so. */
export function applyCrds(
  client: KubeClient,
  crds: readonly Manifest[],
  context: Pick<CliContext, 'clock' | 'signal'>,
): Step {
  const run = async (report: (detail: string) => void): Promise<undefined> => {
    await applyServed(client, crds, report, context);
    return undefined;
  };
  return { title: 'Apply CRDs', run };
}

function isEstablished(crd: KubeObject): boolean {
  const { status } = crd as { status?: { conditions?: readonly { type: string; status: string }[] } };
  return status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True') === true;
}
