import { NODE_LABEL } from '../../apis/names.js';
import { clusters } from '../../kube/kosmos-resources.js';
import { nodes } from '../../kube/resource.js';
import type { CliContext } from '../context.js';
import { openSession, readAccess, withSessions } from '../session.js';

/** A shell that waits for longer seems to hang. */
const LIMIT_MS = 2_000;

/** Commands whose `--kubeconfig` is that of a member. */
const OF_MEMBERS = ['join', 'unjoin', 'check'];

/** Names of Clusters or virtual nodes in the host that the words lead to; none when it can't be asked. */
export async function clusterNames(
  what: 'cluster' | 'node',
  words: readonly string[],
  context: CliContext,
): Promise<readonly string[]> {
  const after = (flag: string): string | undefined => {
    const joined = words.find((word) => word.startsWith(`${flag}=`));
    if (joined !== undefined) return joined.slice(flag.length + 1);
    const at = words.indexOf(flag);
    return at < 0 ? undefined : words[at + 1];
  };
  const command = words.find((word) => !word.startsWith('-')) ?? '';
  const ofMember = OF_MEMBERS.includes(command);
  const choice = ofMember
    ? { kubeconfig: after('--host-kubeconfig'), context: after('--host-context') }
    : { kubeconfig: after('--kubeconfig'), context: after('--context') };
  try {
    const session = openSession('host', readAccess('host', choice, context));
    return await withSessions([session], async () => {
      const options = { timeoutMs: LIMIT_MS, signal: context.signal };
      const { items } =
        what === 'cluster'
          ? await session.client.list(clusters, options)
          : await session.client.list(nodes, { ...options, labelSelector: `${NODE_LABEL}=true` });
      return items.map(({ metadata }) => metadata?.name ?? '');
    });
  } catch {
    // There is nowhere to say it: what is printed here would be taken for candidates.
    return [];
  }
}
