import type { KubeObject, PodSpec } from '../../apis/core.js';
import { KOSMOS_NAMESPACE } from '../../apis/names.js';
import type { CliContext } from '../context.js';
import { MANAGER } from '../manifests/labels.js';
import { DEFAULT_VALUES } from '../manifests/values.js';
import { deployments, findObject } from '../objects.js';
import type { ClusterSession } from '../session.js';

interface DeploymentObject extends KubeObject {
  readonly spec?: { readonly template?: { readonly spec?: PodSpec } };
}

/** The image of the managers; where none run, that of this version. */
export async function managersImage({ client }: ClusterSession, { signal, version }: CliContext): Promise<string> {
  const ref = { namespace: KOSMOS_NAMESPACE, name: MANAGER };
  const found: DeploymentObject | undefined = await findObject(client, deployments, ref, signal);
  const image = found?.spec?.template?.spec?.containers[0]?.image;
  return image ?? `${DEFAULT_VALUES.image.repository}:${version}`;
}
