import { join } from 'node:path';
import { CertificateAuthority } from '../../lab/certificates.js';
import { clusterFiles } from '../../lab/control-plane.js';
import { applyCrds, joinMember, startManager, waitForMembers } from '../../lab/federation.js';
import { LAB_IMAGES } from '../../lab/full/images.js';
import type { Lab } from '../../lab/lab.js';
import { REPOSITORY } from '../../lab/paths.js';
import { waitFor } from '../../lab/run.js';
import type { LabProcess } from '../../lab/supervisor.js';
import { PIPED_SUFFIX } from './rewrite.js';

export const NAMESPACE = 'bench';
/** The pod that everything is measured with. */
export const POD = 'load';
export const LOG_LINES = 12_000;
export const LOG_LINE_BYTES = 8_001;
const PIPE_NODE = 'bench-pipe';
const PIPE_PORT = 30_250;
const LIMIT_MS = 300_000;

/** Flags of the members' kubelets: a log is kept in one file, and there is room for many pods. */
export const KUBELET_FLAGS = ['--container-log-max-size=2Gi', '--max-pods=400'];

/** What is compared. */
export interface Stage {
  readonly manager: LabProcess;
  readonly pipe: LabProcess;
}

/** Starts the manager, the pipe and the pod behind both. */
export async function setStage(lab: Lab): Promise<Stage> {
  await applyCrds(lab);
  const manager = await startManager(lab, { where: 'client' });
  const [member] = lab.members;
  if (member === undefined) throw new Error('the lab has no member');
  await joinMember(lab, member);
  await waitForMembers(lab, [member.name]);
  await lab.host.ensureNamespace(NAMESPACE);
  const pipe = await startPipe(lab);
  const script = `yes "$(head -c ${LOG_LINE_BYTES - 1} /dev/zero | tr '\\0' x)" | head -n ${LOG_LINES}; sleep 86400`;
  await createPod(lab, POD, script);
  await createPipedPod(lab);
  await podRunning(lab, POD);
  return { manager, pipe };
}

/** Makes a pod that runs in the member. */
export async function createPod(lab: Lab, name: string, script: string): Promise<void> {
  const container = { name: 'main', image: LAB_IMAGES.busybox, command: ['sh', '-c', script] };
  const spec = {
    containers: [container],
    restartPolicy: 'Never',
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    nodeSelector: { 'kosmos.io/node': 'true' },
    tolerations: [{ operator: 'Exists' }],
  };
  const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: 'bench' } }, spec };
  await lab.host.api.json('POST', `/api/v1/namespaces/${NAMESPACE}/pods`, { body });
}

/** Resolves when a pod has begun to run. */
export async function podRunning(lab: Lab, name: string): Promise<void> {
  const probe = async (): Promise<true | undefined> => {
    const pod = await lab.host.api.json('GET', `/api/v1/namespaces/${NAMESPACE}/pods/${name}`);
    const { phase } = (pod as { status?: { phase?: string } }).status ?? {};
    return phase === 'Running' || phase === 'Succeeded' ? true : undefined;
  };
  await waitFor(`pod ${name} runs`, probe, { timeoutMs: LIMIT_MS, intervalMs: 500 });
}

async function startPipe(lab: Lab): Promise<LabProcess> {
  const folder = join(lab.host.directory, 'bench-pipe');
  const authority = CertificateAuthority.open(clusterFiles(lab.host.directory).pki, 'ca');
  const subject = { commonName: `system:node:${PIPE_NODE}`, organizations: ['system:nodes'] };
  const files = await authority.issue(folder, 'serving', { ...subject, hosts: [lab.clientAddress] });
  const program = join(REPOSITORY, 'dist/hack/bench/streams/byte-pipe.js');
  const kubeconfig = lab.cluster('member1').kubeconfigPath;
  const args = [program, lab.clientAddress, String(PIPE_PORT), files.certificate, files.key, kubeconfig];
  return lab.spawnIn('client', process.execPath, args);
}

/** A node of the host whose kubelet is the pipe, and a pod on it. */
async function createPipedPod(lab: Lab): Promise<void> {
  const { api } = lab.host;
  const status = {
    addresses: [{ type: 'InternalIP', address: lab.clientAddress }],
    daemonEndpoints: { kubeletEndpoint: { Port: PIPE_PORT } },
  };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: PIPE_NODE }, status };
  await api.json('POST', '/api/v1/nodes', { body: node });
  const spec = {
    nodeName: PIPE_NODE,
    containers: [{ name: 'main', image: LAB_IMAGES.busybox }],
    tolerations: [{ operator: 'Exists' }],
  };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: `${POD}${PIPED_SUFFIX}` }, spec };
  await api.json('POST', `/api/v1/namespaces/${NAMESPACE}/pods`, { body: pod });
}
