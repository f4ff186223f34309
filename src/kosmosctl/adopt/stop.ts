import { pods } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { CLI_FIELD_MANAGER as fieldManager, findObject } from '../objects.js';
import type { ClusterSession } from '../session.js';
import { waitUntil, type Probed } from '../wait.js';
import { podSelector, runs, stopPatch, type Component, type Workload } from './components.js';

/** Where components are looked for. */
interface Place {
  readonly session: ClusterSession;
  /** `host`, or the Cluster. */
  readonly cluster: string;
  readonly namespace: string;
}

/** A component that is there and runs. */
export interface RunningComponent extends Place {
  readonly component: Component;
  readonly workload: Workload;
}

/** Those of the components that run. */
export async function findComponents(
  place: Place,
  components: readonly Component[],
  signal: AbortSignal,
): Promise<readonly RunningComponent[]> {
  const { session, namespace } = place;
  const all = components.map(async (component) => {
    const ref = { namespace, name: component.name };
    const workload: Workload | undefined = await findObject(session.client, component.type, ref, signal);
    const isRunning = workload !== undefined && runs(component, workload);
    return isRunning ? [{ ...place, component, workload }] : [];
  });
  return (await Promise.all(all)).flat();
}

/** `Deployment namespace/name`, for people. */
export function nameOfComponent({ namespace, component: { type, name } }: RunningComponent): string {
  return `${type.kind} ${namespace}/${name}`;
}

/** Stops a component and waits until its last pod is gone, for until then it may still write. */
export async function stopComponent(
  running: RunningComponent,
  report: (detail: string) => void,
  { clock, signal, timeoutMs }: Pick<CliContext, 'clock' | 'signal'> & { readonly timeoutMs: number },
): Promise<void> {
  const { session, namespace, component, workload } = running;
  const { client } = session;
  const patch = stopPatch(component, workload);
  const ref = { namespace, name: component.name };
  if (patch !== undefined) await client.patch(component.type, ref, patch, { type: 'merge', fieldManager, signal });
  const labelSelector = podSelector(workload);
  const probe = async (): Promise<Probed<true>> => {
    const [pod] = (await client.list(pods, { namespace, labelSelector, signal })).items;
    if (pod === undefined) return { found: true };
    return {
      pending: `pod ${namespace}/${pod.metadata?.name ?? ''} is still there`,
      cure: 'Look why it does not end, then run the command again.',
    };
  };
  await waitUntil(nameOfComponent(running), probe, report, { clock, signal, timeoutMs });
}
