import { samplesOf } from '../../hack/bench/prometheus.js';
import type { LabCluster } from '../../hack/lab/cluster.js';
import { eventually } from './eventually.js';
import type { Kubectl, RunningKubectl } from './kubectl.js';

/** A session in a pod, and the manager that it goes through. */
export interface ReplicaSession {
  readonly kind: 'exec' | 'logs';
  readonly replica: string;
  readonly running: RunningKubectl;
}

const MANAGERS = '/api/v1/namespaces/kosmos-system/pods';
const SELECTOR = `labelSelector=${encodeURIComponent('app.kubernetes.io/name=kosmos,app.kubernetes.io/component=manager')}`;
const ATTEMPTS = 20;

/** Names of the managers' pods that nobody has told to end. */
export async function managerPods(host: LabCluster): Promise<readonly string[]> {
  const list = JSON.parse(await host.api.text('GET', `${MANAGERS}?${SELECTOR}`)) as {
    items: { metadata: { name: string; deletionTimestamp?: string } }[];
  };
  return list.items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
}

async function openSessions(host: LabCluster, replica: string): Promise<number> {
  const text = await host.api.text('GET', `${MANAGERS}/${replica}:8080/proxy/metrics`);
  return samplesOf(text, 'kosmos_kubelet_sessions').reduce((sum, { value }) => sum + value, 0);
}

/**
 * Opens sessions of both kinds in a pod that runs `sh`, which prints lines, until each manager has one of each. Which of them a
 * session goes through is up to the Service; each manager counts its own.
 */
export async function sessionsThroughAll(host: LabCluster, kubectl: Kubectl, pod: string): Promise<ReplicaSession[]> {
  const replicas = await managerPods(host);
  const sessions: ReplicaSession[] = [];
  const isMissing = (kind: string): boolean =>
    replicas.some((replica) => !sessions.some((one) => one.kind === kind && one.replica === replica));
  for (const kind of ['exec', 'logs'] as const) {
    for (let attempt = 0; isMissing(kind); attempt += 1) {
      if (attempt === ATTEMPTS) throw new Error(`${ATTEMPTS} sessions of ${kind} went through the same manager`);
      sessions.push(await open(host, kubectl, { kind, pod, replicas }));
    }
  }
  return sessions;
}

async function open(
  host: LabCluster,
  kubectl: Kubectl,
  { kind, pod, replicas }: { kind: ReplicaSession['kind']; pod: string; replicas: readonly string[] },
): Promise<ReplicaSession> {
  const before = await Promise.all(replicas.map((replica) => openSessions(host, replica)));
  const running = kubectl.start(kind === 'exec' ? ['exec', '-i', pod, '--', 'sh'] : ['logs', '-f', '--tail=1', pod]);
  return eventually(async () => {
    const now = await Promise.all(replicas.map((replica) => openSessions(host, replica)));
    const replica = replicas.find((_name, index) => now[index] === (before[index] ?? 0) + 1);
    if (replica === undefined) throw new Error(`no manager has the session: ${running.output()}`);
    return { kind, replica, running };
  });
}

/** Whether a session still works: a shell answers, and lines of a log go on. */
export async function stillWorks({ kind, running }: ReplicaSession): Promise<void> {
  const before = running.output().length;
  if (kind === 'exec') running.child.stdin?.write('echo still here\n');
  await eventually(
    () => {
      const added = running.output().slice(before);
      if (kind === 'exec' ? added.includes('still here') : added.includes('\n')) return;
      throw new Error(`nothing more came from ${kind}; it said: ${running.output().slice(-500)}`);
    },
    { timeoutMs: 5_000 },
  );
}
