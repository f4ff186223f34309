import { isRoot } from '../../clustertree/cluster/registry.js';
import { clusters } from '../../kube/kosmos-resources.js';
import type { CliContext } from '../context.js';
import { explainError } from '../explain-error.js';
import { MANAGER } from '../manifests/labels.js';
import { deployments, findObject } from '../objects.js';
import { renderDocument } from '../output/format.js';
import { renderTable } from '../output/table.js';
import { openSession, readAccess, serverVersion, withSessions, type ClusterChoice } from '../session.js';

export interface VersionOptions {
  readonly host: ClusterChoice;
  readonly namespace: string;
  /** Ask no cluster. */
  readonly client: boolean;
  readonly format: 'json' | 'yaml' | undefined;
}

interface Versions {
  readonly kosmosctl: string;
  /** Image of the managers. */
  readonly manager?: string;
  /** Kubernetes. */
  readonly host?: string;
  readonly members?: Readonly<Record<string, string>>;
  /** Why the host could not be asked. */
  readonly problem?: string;
}

/** Prints the versions of everything that takes part. */
export async function version(options: VersionOptions, context: CliContext): Promise<void> {
  const versions: Versions = { kosmosctl: context.version, ...(options.client ? {} : await ask(options, context)) };
  const { terminal } = context;
  if (options.format !== undefined) {
    terminal.out(renderDocument(versions, options.format));
    return;
  }
  const rows = [
    ['kosmosctl', versions.kosmosctl],
    ...(versions.manager === undefined ? [] : [['manager', versions.manager]]),
    ...(versions.host === undefined ? [] : [['host', `Kubernetes ${versions.host}`]]),
    ...Object.entries(versions.members ?? {}).map(([name, found]) => [`member ${name}`, `Kubernetes ${found}`]),
  ];
  terminal.out(renderTable(['COMPONENT', 'VERSION'], rows));
  if (versions.problem !== undefined) terminal.err(`the host could not be asked: ${versions.problem}\n`);
}

async function ask({ host, namespace }: VersionOptions, context: CliContext): Promise<Omit<Versions, 'kosmosctl'>> {
  const { signal } = context;
  try {
    const session = openSession('host', readAccess('host', host, context));
    return await withSessions([session], async () => {
      const kubernetes = await serverVersion(session, signal);
      const deployment = await findObject(session.client, deployments, { namespace, name: MANAGER }, signal);
      const list = await session.client.list(clusters, { signal });
      const members = list.items
        .filter((cluster) => !isRoot(cluster))
        .map(({ metadata, status }) => [metadata?.name, status?.kubernetesVersion ?? '?'] as const);
      const manager = imageOf(deployment);
      return {
        ...(manager !== undefined && { manager }),
        host: kubernetes,
        members: Object.fromEntries(members) as Record<string, string>,
      };
    });
  } catch (error) {
    return { problem: explainError(error).message };
  }
}

function imageOf(deployment: object | undefined): string | undefined {
  const { spec } = (deployment ?? {}) as {
    spec?: { template?: { spec?: { containers?: readonly { image?: string }[] } } };
  };
  return spec?.template?.spec?.containers?.[0]?.image;
}
