import type { KubeObject } from '../../apis/core.js';
import { MANAGER } from '../manifests/labels.js';
import { deployments, findObject } from '../objects.js';
import type { ClusterSession } from '../session.js';
import { modulesOf, type Modules } from './modules.js';

/** What an installation in the host is made of. */
export interface Installation {
  readonly modules: Modules;
  readonly image: string;
}

interface DeploymentObject extends KubeObject {
  readonly spec?: {
    readonly template?: {
      readonly spec?: {
        readonly containers?: readonly { readonly image?: string; readonly args?: readonly string[] }[];
      };
    };
  };
}

/** Reads it from the Deployment of the managers; undefined when they run elsewhere. */
export async function readInstallation(
  { client }: ClusterSession,
  namespace: string,
  signal: AbortSignal,
): Promise<Installation | undefined> {
  const found: DeploymentObject | undefined = await findObject(
    client,
    deployments,
    { namespace, name: MANAGER },
    signal,
  );
  const [container] = found?.spec?.template?.spec?.containers ?? [];
  return container?.image === undefined
    ? undefined
    : { modules: modulesOf(container.args ?? []), image: container.image };
}
